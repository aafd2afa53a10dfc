-- Users and the messages that tell of them, or neither: what fails, fails the statement. It inserts only if $10, when
-- they are said to be created, is what the business clock shows, to within 0.2 s; and no user whose address is taken.
WITH inserted AS (
    INSERT INTO users.users (
        id, first_name, last_name, date_of_birth, timezone, email, send_at_local, leap_day_policy, first_date,
        created_at, updated_at
    )
    SELECT described.*, $10, $10
    FROM unnest(
        $1::uuid[], $2::text[], $3::text[], $4::date[], $5::text[], $6::text[], $7::time[], $8::text[], $9::text[]
    ) AS described
    WHERE $10::timestamptz - (now() + $11::interval) BETWEEN interval '-0.2 s' AND interval '0.2 s'
    ON CONFLICT (lower(email)) WHERE email IS NOT NULL DO NOTHING
    RETURNING id
),
appended AS (
    SELECT
        outbox.append(
            array_agg(event_id), array_agg(event_type), array_agg(priority), array_agg(group_id), array_agg(attributes),
            array_agg(body)
        ) AS done
    FROM unnest($12::uuid[], $13::text[], $14::smallint[], $15::text[], $16::jsonb[], $17::text[])
        AS message (event_id, event_type, priority, group_id, attributes, body)
    INNER JOIN inserted ON message.group_id = inserted.id::text
)
SELECT
    ARRAY(SELECT id FROM inserted) AS ids,
    $10 - (now() + $11) BETWEEN interval '-0.2 s' AND interval '0.2 s' AS is_now,
    clock_timestamp() + $11 AS shown_at,
    appended.done
FROM appended;
