-- In order of id, as whoever settles locks them.
WITH told AS MATERIALIZED (
    SELECT event_id
    FROM delivery.events
    WHERE user_id = ANY($1::uuid[]) AND body <> ''
    ORDER BY event_id
    FOR UPDATE
)
UPDATE delivery.events AS event
SET body = ''
FROM told
WHERE event.event_id = told.event_id;
