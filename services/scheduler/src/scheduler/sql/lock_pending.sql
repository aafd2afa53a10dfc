-- $1 occasions, $2 users, of whom every PENDING row is meant.
SELECT event_id, occasion_id, user_id, after_date, due_at, timezone, priority
FROM schedule.occurrences
WHERE status = 'PENDING' AND (occasion_id = ANY($1::uuid[]) OR user_id = ANY($2::uuid[]))
ORDER BY occasion_id
FOR UPDATE;
