-- Of two progresses of one occurrence the later counts. An answer it is, so the count of silences starts anew.
UPDATE schedule.occurrences AS occurrence
SET check_at = greatest(occurrence.check_at, progress.check_at), unanswered = 0
FROM (
    SELECT event_id, max(check_at) AS check_at
    FROM unnest($1::uuid[], $2::timestamptz[]) AS told (event_id, check_at)
    GROUP BY event_id
) AS progress
WHERE occurrence.event_id = progress.event_id AND occurrence.status = 'PROCESSING';
