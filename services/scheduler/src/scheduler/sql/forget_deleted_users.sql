-- $1 age by the business clock, $2 batch. The tombstones of deleted users.
WITH forgotten AS (
    DELETE FROM schedule.users
    WHERE id IN (
        SELECT id FROM schedule.users
        WHERE deleted_at <= now() - $1::interval
        ORDER BY deleted_at
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    )
    RETURNING id
)
SELECT count(*) FROM forgotten;
