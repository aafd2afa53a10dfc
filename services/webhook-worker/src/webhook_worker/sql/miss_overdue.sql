-- $1 the most at once, $2 how long is waited, $3 endpoints that are known to nobody. One that is enabled and answers now and
-- then is only behind; what it is owed goes out, however late. A lease that ended so long ago is nobody's.
WITH deaf AS MATERIALIZED (
    SELECT id FROM delivery.endpoints WHERE NOT enabled AND deleted_at IS NULL
    UNION
    SELECT endpoint_id FROM delivery.failing_endpoints WHERE since <= now() - $2::interval
    UNION
    SELECT * FROM unnest($3::uuid[])
),
overdue AS MATERIALIZED (
    SELECT oldest.id, oldest.created_at
    FROM deaf
    CROSS JOIN LATERAL (
        SELECT delivery.id, delivery.created_at
        FROM delivery.deliveries AS delivery
        WHERE
            delivery.endpoint_id = deaf.id
            AND delivery.status = 'pending'
            AND delivery.next_attempt_at <= now() - $2::interval
        ORDER BY delivery.next_attempt_at
        LIMIT $1
        FOR UPDATE SKIP LOCKED
    ) AS oldest
    LIMIT $1
)
UPDATE delivery.deliveries AS delivery
SET status = 'missed', reason = 'its endpoint took nothing for 76 hours', lease_token = NULL, settled_at = now()
FROM overdue
WHERE delivery.id = overdue.id AND delivery.created_at = overdue.created_at
RETURNING delivery.event_id;
