INSERT INTO schedule.users AS known (
    id, version, first_name, last_name, date_of_birth, timezone, send_at_local, leap_day_policy, first_date,
    deleted_at, occurred_at, traceparent
)
SELECT newest.*
FROM unnest(
    $1::uuid[], $2::integer[], $3::text[], $4::text[], $5::date[], $6::text[], $7::time[], $8::text[], $9::text[],
    $10::timestamptz[], $11::timestamptz[], $12::text[]
) AS newest
ON CONFLICT (id) DO UPDATE SET
    version = excluded.version,
    first_name = excluded.first_name,
    last_name = excluded.last_name,
    date_of_birth = excluded.date_of_birth,
    timezone = excluded.timezone,
    send_at_local = excluded.send_at_local,
    leap_day_policy = excluded.leap_day_policy,
    first_date = excluded.first_date,
    deleted_at = excluded.deleted_at,
    occurred_at = excluded.occurred_at,
    traceparent = coalesce(known.traceparent, excluded.traceparent)
WHERE known.version < excluded.version
RETURNING known.id, xmax <> 0 AS met_before, known.traceparent;
