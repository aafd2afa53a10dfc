SELECT id, endpoint_id, since, until, statuses, requested_at, deliveries, reopened, finished_at
FROM delivery.api_replays
WHERE id = $1;
