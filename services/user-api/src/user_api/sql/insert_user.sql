-- The user and the messages that tell of them, or neither: what fails, fails the statement. It inserts only if
-- $10, when the user is said to be created, is what the business clock shows, to within 0.2 s.
WITH inserted AS (
    INSERT INTO users.users (
        id, first_name, last_name, date_of_birth, timezone, email, send_at_local, leap_day_policy, first_date,
        created_at, updated_at
    )
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10
    WHERE $10::timestamptz - (now() + $11::interval) BETWEEN interval '-0.2 s' AND interval '0.2 s'
    RETURNING id
)
SELECT
    inserted.id IS NOT NULL AS is_inserted,
    CASE WHEN inserted.id IS NOT NULL THEN outbox.append($12, $13, $14, $15, $16, $17) END AS appended,
    clock_timestamp() + $11::interval AS shown_at
FROM (VALUES (TRUE)) AS always LEFT JOIN inserted ON TRUE;
