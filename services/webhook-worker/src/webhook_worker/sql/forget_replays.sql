DELETE FROM delivery.replays
WHERE finished_at < now() - $1::interval;
