-- A filter that is null is none: the planner, which knows the values, leaves it out.
SELECT
    id, queue, source, message_id, event_type, reason, received_at, status, redrive_error, redriven_at
FROM delivery.api_dead_letters
WHERE
    ($1::timestamptz IS NULL OR (received_at, id) < ($1, $2::uuid))
    AND ($3::text IS NULL OR queue = $3)
    AND ($4::text IS NULL OR status = $4)
ORDER BY received_at DESC, id DESC
LIMIT $5;
