WITH cancelled AS (
    DELETE FROM schedule.occurrences
    WHERE occasion_id = ANY($1::uuid[]) AND status = 'PENDING'
    RETURNING *
)
INSERT INTO schedule.history (
    event_id, finished_at, occasion_id, occasion_type, user_id, status, priority, nominal_date, local_date,
    send_at_local, timezone, due_at, emitted_at, failure_reason
)
SELECT
    event_id, now(), occasion_id, occasion_type, user_id, 'CANCELLED', priority, nominal_date, local_date,
    send_at_local, timezone, due_at, NULL, 'user deleted'
FROM cancelled;
