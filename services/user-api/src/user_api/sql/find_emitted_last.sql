-- What tells the date that each of a user's occasions rang on last: what is planned, and what rang since $2.
SELECT occasion_id, status, nominal_date, local_date, after_date
FROM schedule.api_occurrences
WHERE user_id = $1 AND (status = 'PENDING' OR (status <> 'CANCELLED' AND due_at > $2));
