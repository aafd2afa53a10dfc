-- What rings for these users still waits for its answer, but without their words it can be emitted no more. In order
-- of id, as answers are recorded: in another one the two would deadlock.
WITH rung AS MATERIALIZED (
    SELECT event_id
    FROM schedule.occurrences
    WHERE user_id = ANY($1::uuid[]) AND status = 'PROCESSING'
    ORDER BY event_id
    FOR UPDATE
)
UPDATE schedule.occurrences AS occurrence
SET first_name = '', last_name = '', name = NULL, message = NULL, parked = 'user deleted'
FROM rung
WHERE occurrence.event_id = rung.event_id AND occurrence.status = 'PROCESSING';
