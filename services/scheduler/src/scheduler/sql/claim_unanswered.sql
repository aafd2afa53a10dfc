-- $1 batch, $2 how long an answer may take, $3 the business clock's offset.
WITH unanswered AS MATERIALIZED (
    SELECT event_id
    FROM schedule.occurrences
    WHERE status = 'PROCESSING' AND check_at <= now()
    ORDER BY check_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE schedule.occurrences AS occurrence
SET check_at = now() + $2::interval, unanswered = occurrence.unanswered + 1
FROM unanswered
WHERE occurrence.event_id = unanswered.event_id AND occurrence.status = 'PROCESSING'
RETURNING occurrence.*, now() + $3::interval AS now;
