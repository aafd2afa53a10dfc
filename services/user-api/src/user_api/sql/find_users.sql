SELECT
    id, version, first_name, last_name, date_of_birth, timezone, email, send_at_local, leap_day_policy, first_date,
    created_at, updated_at
FROM users.users
WHERE id = ANY($1::uuid[]);
