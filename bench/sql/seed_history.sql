-- $1 how many, $2 when the last of them ended: one a second before that, as months of outcomes leave them.
-- Ids in order: that fills indexes fast, and a claim reads none of them.
INSERT INTO schedule.history (
    event_id, finished_at, occasion_id, occasion_type, user_id, status, priority, nominal_date, local_date,
    send_at_local, timezone, due_at, emitted_at
)
SELECT
    lpad(to_hex(number), 32, '0')::uuid,
    ended.at,
    lpad(to_hex(number), 32, '0')::uuid,
    'BIRTHDAY',
    lpad(to_hex(number), 32, '0')::uuid,
    'COMPLETED',
    0,
    ended.at::date::text,
    ended.at::date,
    '09:00',
    'Europe/London',
    ended.at,
    ended.at
FROM generate_series(1, $1::integer) AS number
CROSS JOIN LATERAL (SELECT $2::timestamptz - number * interval '1 second' AS at) AS ended;
