SELECT event_id, occasion_id, nominal_date, after_date
FROM schedule.occurrences
WHERE occasion_id = ANY($1::uuid[]) AND status = 'PENDING'
ORDER BY occasion_id
FOR UPDATE;
