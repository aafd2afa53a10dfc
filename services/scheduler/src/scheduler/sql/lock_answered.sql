SELECT event_id
FROM schedule.occurrences
WHERE event_id = ANY($1::uuid[]) AND status = 'PROCESSING'
ORDER BY event_id
FOR UPDATE;
