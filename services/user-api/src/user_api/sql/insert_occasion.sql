-- No row comes back when the user has as many that are still to ring as one may have.
INSERT INTO users.occasions (
    id, user_id, type, name, message, date, send_at_local, local_date_time, rrule, last_date, at, priority,
    first_date, ends_at, created_at, updated_at
)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, coalesce($14::timestamptz, 'infinity'), $15, $15
WHERE (
    SELECT count(*)
    FROM (
        SELECT FROM users.occasions AS living
        WHERE living.user_id = $2 AND living.ends_at > $15
        LIMIT $16
    ) AS counted
) < $16
RETURNING id;
