-- When each occurrence that was claimed was due.
SELECT event_id, extract(EPOCH FROM due_at)::double precision AS due_at
FROM schedule.occurrences
WHERE status = 'PROCESSING';
