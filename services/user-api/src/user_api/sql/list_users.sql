-- A filter that is null is none: the planner, which knows the values, leaves it out.
SELECT
    id, version, first_name, last_name, date_of_birth, timezone, email, send_at_local, leap_day_policy, first_date,
    created_at, updated_at
FROM users.users
WHERE id > $1 AND ($2::text IS NULL OR timezone = $2) AND ($3::text IS NULL OR lower(email) = lower($3))
ORDER BY id
LIMIT $4;
