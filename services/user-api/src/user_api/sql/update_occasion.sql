UPDATE users.occasions
SET
    version = $2, name = $3, message = $4, date = $5, send_at_local = $6, local_date_time = $7, rrule = $8,
    last_date = $9, at = $10, priority = $11, first_date = $12, ends_at = coalesce($13::timestamptz, 'infinity'),
    updated_at = $14
WHERE id = $1;
