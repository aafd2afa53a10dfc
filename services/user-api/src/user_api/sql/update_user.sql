UPDATE users.users
SET
    version = $2, first_name = $3, last_name = $4, date_of_birth = $5, timezone = $6, email = $7,
    send_at_local = $8, leap_day_policy = $9, first_date = $10, updated_at = $11
WHERE id = $1;
