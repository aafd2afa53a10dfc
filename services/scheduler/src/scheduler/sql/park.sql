-- Claimed in this very transaction: to everybody else an occurrence stays PENDING.
UPDATE schedule.occurrences AS occurrence
SET status = 'PENDING', parked = faulty.reason, emitted_at = NULL, check_at = NULL
FROM unnest($1::uuid[], $2::text[]) AS faulty (event_id, reason)
WHERE occurrence.event_id = faulty.event_id AND occurrence.status = 'PROCESSING';
