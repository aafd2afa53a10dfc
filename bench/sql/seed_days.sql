-- $1 how many, $2 when the first is due, $3 how many are due each day, $4 the step from one of a day to the next,
-- $5 the zones they take turns in, $6 whether those of one day lie all over the table or, as claims leave them, together.
-- Ids are hashes: without OpenSSL, gen_random_uuid opens /dev/urandom each time, which takes half of filling.
INSERT INTO schedule.occurrences (
    event_id, occasion_id, occasion_type, user_id, status, priority, nominal_date, local_date, send_at_local,
    timezone, anchor_date, leap_day_policy, first_name, last_name, due_at, user_version, planned_at, ripe_at
)
SELECT
    event_id,
    md5('occasion ' || number)::uuid,
    'BIRTHDAY',
    md5('user ' || number)::uuid,
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
    1,
    $2,
    due.at
FROM (
    SELECT number, md5('event ' || number)::uuid AS event_id
    FROM generate_series(0, $1::integer - 1) AS number
    ORDER BY CASE WHEN $6 THEN md5('event ' || number) END, number
) AS chosen
CROSS JOIN LATERAL (
    SELECT $2::timestamptz + (number / $3::integer) * interval '1 day' + (number % $3) * $4::interval AS at
) AS due
CROSS JOIN LATERAL (
    SELECT zone AS timezone, due.at AT TIME ZONE zone AS at
    FROM (SELECT ($5::text[])[1 + number % cardinality($5::text[])] AS zone) AS picked
) AS local;
