WITH unanswered AS MATERIALIZED (
    SELECT event_id
    FROM schedule.occurrences
    WHERE status = 'PROCESSING' AND check_at <= now()
    ORDER BY check_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE schedule.occurrences AS occurrence
SET check_at = now() + $2::interval
FROM unanswered
WHERE occurrence.event_id = unanswered.event_id
RETURNING occurrence.*;
