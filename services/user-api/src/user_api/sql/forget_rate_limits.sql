-- A bucket that nobody leased from for so long is full, as is one that is not there.
WITH forgotten AS (
    DELETE FROM users.rate_limits
    WHERE client IN (
        SELECT client FROM users.rate_limits
        WHERE updated_at <= now() - $1::interval
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    )
    RETURNING client
)
SELECT count(*) FROM forgotten;
