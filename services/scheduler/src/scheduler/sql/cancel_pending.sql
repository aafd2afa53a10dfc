-- The date emitted last goes with the row; an occasion that goes on keeps it.
WITH cancelled AS (
    DELETE FROM schedule.occurrences AS occurrence
    USING unnest($1::uuid[], $2::text[]) AS doomed (occasion_id, reason)
    WHERE occurrence.occasion_id = doomed.occasion_id AND occurrence.status = 'PENDING'
    RETURNING occurrence.*, doomed.reason
),
marked AS (
    UPDATE schedule.occasions AS occasion
    SET after_date = cancelled.after_date
    FROM cancelled
    WHERE occasion.id = cancelled.occasion_id AND cancelled.after_date IS NOT NULL
)
INSERT INTO schedule.history (
    event_id, finished_at, occasion_id, occasion_type, user_id, status, priority, nominal_date, local_date,
    send_at_local, timezone, due_at, jitter_seconds, emitted_at, failure_reason
)
SELECT
    event_id, now(), occasion_id, occasion_type, user_id, 'CANCELLED', priority, nominal_date, local_date,
    send_at_local, timezone, due_at, jitter_seconds, NULL, reason
FROM cancelled;
