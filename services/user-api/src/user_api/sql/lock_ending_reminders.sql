-- Those whose last local time is still to come where the user lived until now.
SELECT id, local_date_time, coalesce(last_date, local_date_time::date) AS last_date
FROM users.occasions
WHERE user_id = $1 AND local_date_time IS NOT NULL AND ends_at > $2 AND ends_at < 'infinity'
FOR UPDATE;
