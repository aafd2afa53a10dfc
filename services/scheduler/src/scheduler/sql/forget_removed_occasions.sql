-- $1 age by the business clock, $2 batch. The tombstones of removed occasions.
WITH forgotten AS (
    DELETE FROM schedule.occasions
    WHERE id IN (
        SELECT id FROM schedule.occasions
        WHERE removed AND occurred_at <= now() - $1::interval
        ORDER BY occurred_at
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    )
    RETURNING id
)
SELECT count(*) FROM forgotten;
