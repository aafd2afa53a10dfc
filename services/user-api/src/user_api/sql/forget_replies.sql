WITH forgotten AS (
    DELETE FROM users.idempotency_keys
    WHERE id IN (
        SELECT id FROM users.idempotency_keys
        WHERE stored_at <= now() - $1::interval
        ORDER BY stored_at
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    )
    RETURNING id
)
SELECT count(*) FROM forgotten;
