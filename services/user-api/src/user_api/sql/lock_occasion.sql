-- Its owner is locked already. Changes never go back in time.
SELECT
    id, user_id, version, type, name, message, date, send_at_local, local_date_time, rrule, last_date, at, priority,
    first_date, created_at, updated_at, ends_at <= $3 AS has_ended, greatest($3, updated_at) AS changed_at
FROM users.occasions
WHERE user_id = $1 AND id = $2
FOR UPDATE;
