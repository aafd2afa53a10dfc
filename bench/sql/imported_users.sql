-- The users of an import, as COPY takes them back.
SELECT
    id, first_name, last_name, date_of_birth, timezone, email, send_at_local, leap_day_policy, first_date, created_at,
    updated_at, import_key
FROM users.users
ORDER BY id;
