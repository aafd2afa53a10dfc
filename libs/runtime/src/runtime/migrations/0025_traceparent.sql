-- The API call that made a user or an occasion, as its `traceparent` names it: what rings years later links to it. Null
-- where the call was not traced. And an event's own place in its trace, for the attempts that are made days later.
-- migrate:up
ALTER TABLE schedule.users ADD COLUMN traceparent text;
ALTER TABLE schedule.occasions ADD COLUMN traceparent text;
ALTER TABLE schedule.occurrences ADD COLUMN traceparent text;
ALTER TABLE delivery.events ADD COLUMN traceparent text;

-- Counted every few seconds: what is parked for a reason of its own, among millions that are not.
CREATE INDEX occurrences_faulty ON schedule.occurrences (event_id) WHERE status = 'PENDING' AND parked <> 'paused';
