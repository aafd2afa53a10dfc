-- $1 now by the business clock, $2 batch, $3 how long an answer may take (by the database's clock).
-- The row carries all that is needed: a join would be left stale after a row-lock recheck.
WITH due AS MATERIALIZED (
    SELECT event_id
    FROM schedule.occurrences
    WHERE status = 'PENDING' AND due_at <= $1
    ORDER BY due_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
)
UPDATE schedule.occurrences AS occurrence
SET status = 'PROCESSING', emitted_at = $1, check_at = now() + $3::interval
FROM due
WHERE occurrence.event_id = due.event_id AND occurrence.status = 'PENDING'
RETURNING occurrence.*;
