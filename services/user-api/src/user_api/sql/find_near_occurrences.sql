-- What the scheduler has planned, and what it emitted lately; a cancelled one may be planned again.
SELECT event_id, occasion_id, status, nominal_date, local_date, after_date
FROM schedule.api_occurrences
WHERE user_id = $1 AND due_at > $2 AND status <> 'CANCELLED';
