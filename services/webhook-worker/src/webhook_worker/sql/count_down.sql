WITH settled AS (
    SELECT * FROM unnest($1::uuid[], $2::integer[]) AS settled (event_id, deliveries)
),
locked AS MATERIALIZED (
    SELECT event.event_id
    FROM delivery.events AS event
    WHERE event.event_id IN (SELECT settled.event_id FROM settled)
    ORDER BY event.event_id
    FOR UPDATE
)
UPDATE delivery.events AS event
SET open = event.open - settled.deliveries
FROM locked
INNER JOIN settled ON settled.event_id = locked.event_id
WHERE event.event_id = locked.event_id
RETURNING
    event.event_id, event.user_id, event.open, event.received_at, event.settled_at, event.traceparent,
    now() + $3::interval AS now;
