-- Completion is the move, so a claim's cost stays flat as history grows. The first answer wins.
WITH outcome AS (
    SELECT DISTINCT ON (event_id) event_id, status, reason
    FROM unnest($1::uuid[], $2::text[], $3::text[]) WITH ORDINALITY AS answer (event_id, status, reason, place)
    ORDER BY event_id, place
),
finished AS (
    DELETE FROM schedule.occurrences AS occurrence
    USING outcome
    WHERE occurrence.event_id = outcome.event_id AND occurrence.status = 'PROCESSING'
    RETURNING occurrence.*, outcome.status AS outcome, outcome.reason
)
INSERT INTO schedule.history (
    event_id, finished_at, occasion_id, occasion_type, user_id, status, priority, nominal_date, local_date,
    send_at_local, timezone, due_at, jitter_seconds, emitted_at, failure_reason
)
SELECT
    event_id, now(), occasion_id, occasion_type, user_id, outcome, priority, nominal_date, local_date,
    send_at_local, timezone, due_at, jitter_seconds, emitted_at, reason
FROM finished
RETURNING event_id;
