UPDATE schedule.occurrences AS occurrence
SET check_at = greatest(occurrence.check_at, progress.check_at)
FROM unnest($1::uuid[], $2::timestamptz[]) AS progress (event_id, check_at)
WHERE occurrence.event_id = progress.event_id AND occurrence.status = 'PROCESSING';
