-- $1 a type that is resumed, $2 since when, $3 batch. All counts as planned then, so that what was inside its
-- catch-up window is sent however long letting go takes.
WITH held AS MATERIALIZED (
    SELECT occasion_id
    FROM schedule.occurrences
    WHERE occasion_type = $1 AND status = 'PENDING' AND parked = 'paused'
    ORDER BY occasion_id
    LIMIT $3
    FOR UPDATE
)
UPDATE schedule.occurrences AS occurrence
SET parked = NULL, planned_at = greatest(occurrence.planned_at, $2)
FROM held
WHERE occurrence.occasion_id = held.occasion_id AND occurrence.status = 'PENDING'
RETURNING occurrence.event_id;
