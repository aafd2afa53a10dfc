-- now() is when the transaction began: one that waited for the row may have begun before the change it
-- waited for, and changes of a user never go back in time.
SELECT
    id, version, first_name, last_name, date_of_birth, timezone, email, send_at_local, leap_day_policy, first_date,
    created_at, updated_at, greatest(now() + $2::interval, updated_at) AS changed_at
FROM users.users
WHERE id = $1
FOR UPDATE;
