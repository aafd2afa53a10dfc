-- $2 how many of an event's deliveries settled now. $3 to $5 the outcome of one that has none left, else null: it is told
-- once. $6 to $11 the outcomes as messages, which go with them or not at all.
WITH appended AS MATERIALIZED (
    SELECT outbox.append($6, $7, $8, $9, $10, $11)
)
UPDATE delivery.events AS event
SET
    open = event.open - settled.deliveries,
    settled_at = coalesce(event.settled_at, settled.at),
    outcome_type = coalesce(event.outcome_type, settled.outcome_type),
    outcome = coalesce(event.outcome, settled.outcome)
FROM unnest($1::uuid[], $2::integer[], $3::timestamptz[], $4::text[], $5::text[])
    AS settled (event_id, deliveries, at, outcome_type, outcome)
CROSS JOIN appended
WHERE event.event_id = settled.event_id;
