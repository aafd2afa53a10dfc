WITH due AS MATERIALIZED (
    SELECT id, created_at
    FROM delivery.deliveries
    WHERE status = 'pending' AND next_attempt_at <= now()
    ORDER BY next_attempt_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE delivery.deliveries AS delivery
SET lease_token = $2, next_attempt_at = now() + $3::interval
FROM due
CROSS JOIN delivery.events AS event
WHERE delivery.id = due.id AND delivery.created_at = due.created_at AND event.event_id = delivery.event_id
RETURNING
    delivery.id, delivery.created_at, delivery.event_id, delivery.endpoint_id, delivery.attempts, event.body;
