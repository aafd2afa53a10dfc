-- All that a claim round does, with no row leaving the database: the least it can cost.
-- $1 now, $2 batch, $3 how long an answer may take. Ids are plain hashes here, and the next date is simply a year on.
WITH due AS MATERIALIZED (
    SELECT ripe.occasion_id
    FROM generate_series(0, 3) AS urgency (priority)
    CROSS JOIN LATERAL (
        SELECT occasion_id
        FROM schedule.occurrences
        WHERE status = 'PENDING' AND parked IS NULL AND priority = urgency.priority AND due_at <= $1
        ORDER BY due_at
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    ) AS ripe
    LIMIT $2
),
claimed AS (
    UPDATE schedule.occurrences AS occurrence
    SET status = 'PROCESSING', emitted_at = $1, check_at = now() + $3::interval
    FROM due
    WHERE occurrence.occasion_id = ANY(ARRAY(SELECT occasion_id FROM due)) AND occurrence.status = 'PENDING'
        AND occurrence.occasion_id = due.occasion_id
    RETURNING occurrence.*
),
planned AS (
    INSERT INTO schedule.occurrences (
        status, event_id, occasion_id, occasion_type, user_id, priority, nominal_date, after_date, local_date,
        send_at_local, timezone, anchor_date, leap_day_policy, first_name, last_name, due_at, user_version,
        tz_database, planned_at, ripe_at
    )
    SELECT
        'PENDING', md5(event_id::text)::uuid, occasion_id, occasion_type, user_id, priority,
        (local_date + interval '1 year')::date::text, nominal_date, (local_date + interval '1 year')::date,
        send_at_local, timezone, anchor_date, leap_day_policy, first_name, last_name,
        (local_date + interval '1 year' + send_at_local) AT TIME ZONE timezone, user_version, tz_database, planned_at,
        (local_date + interval '1 year' + send_at_local) AT TIME ZONE timezone
    FROM claimed
),
appended AS (
    INSERT INTO outbox.messages (event_id, event_type, priority, group_id, attributes, body)
    SELECT
        event_id,
        'BirthdayDue',
        priority,
        user_id::text,
        '{"eventType": "BirthdayDue", "priority": "critical"}',
        json_build_object(
            'specversion', '1.0',
            'id', event_id,
            'source', 'carillon/scheduler',
            'type', 'carillon.BirthdayDue.v1',
            'subject', user_id,
            'time', emitted_at,
            'datacontenttype', 'application/json',
            'dataschema', 'urn:carillon:event:BirthdayDue:v1',
            'data', json_build_object(
                'occasionId', occasion_id,
                'userId', user_id,
                'localDate', local_date,
                'localTime', send_at_local,
                'timezone', timezone,
                'dueAt', due_at,
                'emittedAt', emitted_at,
                'lateBySeconds', floor(extract(EPOCH FROM emitted_at - due_at)),
                'priority', 'critical',
                'message', 'Hey, ' || first_name || ' ' || last_name || ' it''s your birthday'
            )
        )::text
    FROM claimed
)
SELECT count(*) FROM claimed;
