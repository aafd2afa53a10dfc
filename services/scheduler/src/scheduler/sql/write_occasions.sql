-- Of a deleted user nothing is kept, so an event that comes after the deletion leaves none of its words here.
INSERT INTO schedule.occasions AS known (
    id, user_id, version, occurred_at, removed, type, priority, first_date, name, message, date, send_at_local,
    local_date_time, rrule, last_date, at, leap_day_policy, traceparent
)
SELECT newest.*
FROM unnest(
    $1::uuid[], $2::uuid[], $3::integer[], $4::timestamptz[], $5::boolean[], $6::text[], $7::smallint[],
    $8::text[], $9::text[], $10::text[], $11::date[], $12::time[], $13::timestamp[], $14::text[], $15::date[],
    $16::timestamptz[], $17::text[], $18::text[]
) AS newest (id, user_id)
WHERE NOT EXISTS (
    SELECT FROM schedule.users AS owner WHERE owner.id = newest.user_id AND owner.deleted_at IS NOT NULL
)
ON CONFLICT (id) DO UPDATE SET
    version = excluded.version,
    occurred_at = excluded.occurred_at,
    removed = excluded.removed,
    type = excluded.type,
    priority = excluded.priority,
    first_date = excluded.first_date,
    name = excluded.name,
    message = excluded.message,
    date = excluded.date,
    send_at_local = excluded.send_at_local,
    local_date_time = excluded.local_date_time,
    rrule = excluded.rrule,
    last_date = excluded.last_date,
    at = excluded.at,
    leap_day_policy = excluded.leap_day_policy,
    traceparent = coalesce(known.traceparent, excluded.traceparent)
WHERE known.version < excluded.version
RETURNING known.id;
