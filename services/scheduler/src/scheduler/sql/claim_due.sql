-- $1 now by the business clock, $2 batch, $3 how long an answer may take (by the database's clock), $4 and $5 what is
-- meant: due after $4 (null: since ever) and by $5.
-- The row carries all that is needed: a join would be left stale after a row-lock recheck.
-- As an array, for the ids are then looked up one by one: joined, a table of 60,000 rows was read whole for each batch.
-- The most urgent first, then the oldest: each priority is a range of the index, read as far as the batch goes.
WITH due AS MATERIALIZED (
    SELECT ripe.*
    FROM generate_series(0, 3) AS urgency (priority)
    CROSS JOIN LATERAL (
        SELECT occasion_id, user_version, occasion_version
        FROM schedule.occurrences
        WHERE status = 'PENDING' AND parked IS NULL AND priority = urgency.priority
            AND due_at > coalesce($4::timestamptz, '-infinity') AND due_at <= $5
        ORDER BY due_at
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    ) AS ripe
    LIMIT $2
)
UPDATE schedule.occurrences AS occurrence
SET status = 'PROCESSING', emitted_at = $1, check_at = now() + $3::interval
FROM due
WHERE occurrence.occasion_id = ANY(ARRAY(SELECT occasion_id FROM due)) AND occurrence.status = 'PENDING'
    AND occurrence.occasion_id = due.occasion_id
    AND occurrence.user_version = due.user_version
    AND occurrence.occasion_version IS NOT DISTINCT FROM due.occasion_version
RETURNING occurrence.*;
