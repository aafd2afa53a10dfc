-- An event can be there twice: planned, cancelled with its occasion's old rule, and planned again.
SELECT
    id, event_id, occasion_id, occasion_type, status, local_date, local_time, timezone, due_at, jitter_seconds,
    completed_at, failure_reason
FROM schedule.api_occurrences
WHERE
    user_id = $1 AND (due_at, id) >= ($2::timestamptz, $3::uuid)
    AND (due_at, id, coalesce(completed_at, 'infinity')) > ($2, $3, coalesce($4::timestamptz, 'infinity'))
ORDER BY due_at, id, coalesce(completed_at, 'infinity')
LIMIT $5;
