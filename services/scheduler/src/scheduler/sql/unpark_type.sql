-- $1 a type that is resumed, $2 since when, $3 batch. All counts as planned then, so that what was inside its
-- catch-up window is sent however long letting go takes.
WITH held AS MATERIALIZED (
    SELECT event_id
    FROM schedule.occurrences
    WHERE occasion_type = $1 AND status = 'PENDING' AND parked = 'paused'
    ORDER BY occasion_id
    LIMIT $3
    FOR UPDATE
)
UPDATE schedule.occurrences AS occurrence
SET parked = NULL, planned_at = greatest(occurrence.planned_at, $2)
FROM held
WHERE occurrence.event_id = held.event_id
RETURNING occurrence.event_id;
