-- $1 an occasion that is resumed, $2 since when: it counts as planned then.
UPDATE schedule.occurrences
SET parked = NULL, planned_at = greatest(planned_at, $2)
WHERE occasion_id = $1 AND status = 'PENDING' AND parked = 'paused';
