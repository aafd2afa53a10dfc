INSERT INTO users.users (
    id, first_name, last_name, date_of_birth, timezone, email, send_at_local, leap_day_policy, first_date,
    created_at, updated_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + $10::interval, now() + $10::interval)
RETURNING created_at;
