-- $1 the users. What is leased is under way; its attempt is recorded, and changes nothing any more.
WITH open AS MATERIALIZED (
    SELECT delivery.id, delivery.created_at
    FROM delivery.events AS event
    INNER JOIN delivery.deliveries AS delivery ON delivery.event_id = event.event_id
    WHERE event.user_id = ANY($1::uuid[]) AND delivery.status = 'pending'
    ORDER BY delivery.id
    FOR UPDATE OF delivery SKIP LOCKED
)
UPDATE delivery.deliveries AS delivery
SET status = 'cancelled', reason = 'the user was deleted', lease_token = NULL, settled_at = now()
FROM open
WHERE delivery.id = open.id AND delivery.created_at = open.created_at
RETURNING delivery.event_id;
