-- $1 age by the business clock, $2 batch. What rang once keeps others of its id out for as long as one may come.
WITH forgotten AS (
    DELETE FROM schedule.occasions
    WHERE id IN (
        SELECT id FROM schedule.occasions
        WHERE type = 'NOTIFICATION' AND after_date IS NOT NULL
            AND at <= now() - $1::interval AND occurred_at <= now() - $1::interval
        ORDER BY at
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    )
    RETURNING id
)
SELECT count(*) FROM forgotten;
