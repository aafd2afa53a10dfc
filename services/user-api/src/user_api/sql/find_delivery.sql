SELECT
    id, created_at, event_id, event_type, user_id, endpoint_id, status, attempts, reason, settled_at, next_attempt_at
FROM delivery.api_deliveries
WHERE id = $1;
