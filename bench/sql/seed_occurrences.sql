-- $1 how many, $2 when the first is due, $3 the step from one to the next, $4 the zones they take turns in.
-- Each is due today where its user lives. In random order on disk, as users come.
INSERT INTO schedule.occurrences (
    event_id, occasion_id, occasion_type, user_id, status, priority, nominal_date, local_date, send_at_local,
    timezone, anchor_date, leap_day_policy, first_name, last_name, due_at, user_version
)
SELECT
    gen_random_uuid(),
    gen_random_uuid(),
    'BIRTHDAY',
    gen_random_uuid(),
    'PENDING',
    0,
    local.at::date::text,
    local.at::date,
    date_trunc('second', local.at)::time,
    local.timezone,
    (local.at - interval '28 years')::date,
    'feb_28',
    'Ada',
    'Lovelace ' || number,
    due.at,
    1
FROM generate_series(0, $1::integer - 1) AS number
CROSS JOIN LATERAL (SELECT $2::timestamptz + number * $3::interval AS at) AS due
CROSS JOIN LATERAL (
    SELECT zone AS timezone, due.at AT TIME ZONE zone AS at
    FROM (SELECT ($4::text[])[1 + number % cardinality($4::text[])] AS zone) AS chosen
) AS local
ORDER BY random();
