-- What keeps its due time keeps since when it is planned and ripe too, so that a change of name makes nothing late
-- younger. Only a pause outlives planning: what else stood in the way may be gone.
INSERT INTO schedule.occurrences AS before (
    status, event_id, occasion_id, occasion_type, user_id, priority, nominal_date, after_date, local_date,
    send_at_local, timezone, anchor_date, leap_day_policy, rrule, last_date, first_name, last_name, name, message,
    due_at, user_version, occasion_version, jitter_seconds, tz_database, planned_at, ripe_at, traceparent
)
SELECT 'PENDING', planned.*
FROM unnest(
    $1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::smallint[], $6::text[], $7::text[], $8::date[],
    $9::time[], $10::text[], $11::date[], $12::text[], $13::text[], $14::date[], $15::text[], $16::text[],
    $17::text[], $18::text[], $19::timestamptz[], $20::integer[], $21::integer[], $22::integer[], $23::text[],
    $24::timestamptz[], $25::timestamptz[], $26::text[]
) AS planned
ON CONFLICT (occasion_id) WHERE status = 'PENDING' DO UPDATE SET
    event_id = excluded.event_id,
    parked = CASE WHEN before.parked = 'paused' THEN before.parked END,
    occasion_type = excluded.occasion_type,
    priority = excluded.priority,
    nominal_date = excluded.nominal_date,
    local_date = excluded.local_date,
    send_at_local = excluded.send_at_local,
    timezone = excluded.timezone,
    anchor_date = excluded.anchor_date,
    leap_day_policy = excluded.leap_day_policy,
    rrule = excluded.rrule,
    last_date = excluded.last_date,
    first_name = excluded.first_name,
    last_name = excluded.last_name,
    name = excluded.name,
    message = excluded.message,
    due_at = excluded.due_at,
    user_version = excluded.user_version,
    occasion_version = excluded.occasion_version,
    jitter_seconds = excluded.jitter_seconds,
    tz_database = excluded.tz_database,
    traceparent = excluded.traceparent,
    planned_at = CASE WHEN before.due_at = excluded.due_at THEN before.planned_at ELSE excluded.planned_at END,
    ripe_at = CASE WHEN before.due_at = excluded.due_at THEN before.ripe_at ELSE excluded.ripe_at END;
