-- Claimed in this very transaction: to everybody else an occurrence goes from PENDING to EXPIRED.
WITH expired AS (
    DELETE FROM schedule.occurrences AS occurrence
    USING unnest($1::uuid[], $2::text[]) AS missed (event_id, reason)
    WHERE occurrence.event_id = missed.event_id AND occurrence.status = 'PROCESSING'
    RETURNING occurrence.*, missed.reason
)
INSERT INTO schedule.history (
    event_id, finished_at, occasion_id, occasion_type, user_id, status, priority, nominal_date, local_date,
    send_at_local, timezone, due_at, jitter_seconds, emitted_at, failure_reason
)
SELECT
    event_id, now(), occasion_id, occasion_type, user_id, 'EXPIRED', priority, nominal_date, local_date,
    send_at_local, timezone, due_at, jitter_seconds, NULL, reason
FROM expired;
