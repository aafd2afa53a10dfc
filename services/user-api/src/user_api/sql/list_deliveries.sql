-- A filter that is null is none: the planner, which knows the values, leaves it out.
SELECT
    id, created_at, event_id, event_type, user_id, endpoint_id, status, attempts, reason, settled_at, next_attempt_at
FROM delivery.api_deliveries
WHERE
    id < $1
    AND ($2::uuid IS NULL OR endpoint_id = $2)
    AND ($3::text IS NULL OR status = $3)
    AND ($4::timestamptz IS NULL OR created_at >= $4)
    AND ($5::timestamptz IS NULL OR created_at < $5)
    AND ($6::uuid IS NULL OR user_id = $6)
ORDER BY id DESC
LIMIT $7;
