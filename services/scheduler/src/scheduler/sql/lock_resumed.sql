SELECT id, occasion_id, occasion_type, resumed_at
FROM schedule.pauses
WHERE resumed_at IS NOT NULL
ORDER BY resumed_at
LIMIT 1
FOR UPDATE SKIP LOCKED;
