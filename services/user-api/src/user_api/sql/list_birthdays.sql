-- As list_users, by day. A window of days that holds a new year is two spans, and a page may need both.
SELECT
    id, version, first_name, last_name, date_of_birth, timezone, email, send_at_local, leap_day_policy, first_date,
    created_at, updated_at
FROM (
    SELECT *, (extract(MONTH FROM date_of_birth) * 100 + extract(DAY FROM date_of_birth))::smallint AS birth_day
    FROM users.users
) AS persons
WHERE
    (birth_day, id) > ($1::smallint, $2::uuid) AND birth_day <= $3::smallint
    AND ($4::text IS NULL OR timezone = $4) AND ($5::text IS NULL OR lower(email) = lower($5))
ORDER BY birth_day, id
LIMIT $6;
