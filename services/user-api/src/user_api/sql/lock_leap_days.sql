SELECT
    id, user_id, version, type, name, message, date, send_at_local, local_date_time, rrule, last_date, at, priority,
    first_date, created_at, updated_at
FROM users.occasions
WHERE user_id = $1 AND extract(month FROM date) = 2 AND extract(day FROM date) = 29
FOR UPDATE;
