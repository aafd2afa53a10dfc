SELECT id, endpoint_id, since, until, statuses, position
FROM delivery.replays
WHERE finished_at IS NULL AND next_at <= now()
ORDER BY next_at
LIMIT 1
FOR UPDATE SKIP LOCKED;
