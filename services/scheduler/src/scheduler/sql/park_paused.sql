-- $1 the event ids just claimed, $2 their occasions, $3 their types.
WITH pause AS MATERIALIZED (
    SELECT occasion_id, occasion_type
    FROM schedule.pauses
    WHERE resumed_at IS NULL AND (occasion_id = ANY($2::uuid[]) OR occasion_type = ANY($3::text[]))
)
UPDATE schedule.occurrences AS occurrence
SET status = 'PENDING', emitted_at = NULL, check_at = NULL, parked = 'paused'
WHERE
    occurrence.event_id = ANY($1::uuid[]) AND occurrence.status = 'PROCESSING' AND (
        occurrence.occasion_id IN (SELECT pause.occasion_id FROM pause)
        OR occurrence.occasion_type IN (SELECT pause.occasion_type FROM pause)
    )
RETURNING occurrence.event_id;
