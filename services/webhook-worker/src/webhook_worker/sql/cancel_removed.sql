-- $1 the most at once. What is leased is under way, and cancelled if it comes back.
WITH open AS MATERIALIZED (
    SELECT oldest.id, oldest.created_at
    FROM delivery.endpoints AS endpoint
    CROSS JOIN LATERAL (
        SELECT delivery.id, delivery.created_at
        FROM delivery.deliveries AS delivery
        WHERE
            delivery.endpoint_id = endpoint.id
            AND delivery.status = 'pending'
            AND (delivery.lease_token IS NULL OR delivery.next_attempt_at <= now())
        ORDER BY delivery.next_attempt_at
        LIMIT $1
        FOR UPDATE SKIP LOCKED
    ) AS oldest
    WHERE endpoint.deleted_at IS NOT NULL
    LIMIT $1
)
UPDATE delivery.deliveries AS delivery
SET status = 'cancelled', reason = 'the endpoint was removed', lease_token = NULL, settled_at = now()
FROM open
WHERE delivery.id = open.id AND delivery.created_at = open.created_at
RETURNING delivery.event_id;
