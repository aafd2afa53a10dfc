-- $1 the most at once, $2 how long somebody waits for one. One that was taken is made once, whoever dies.
WITH asked AS MATERIALIZED (
    SELECT id
    FROM delivery.endpoint_tests
    WHERE taken_at IS NULL AND requested_at > now() - $2::interval
    ORDER BY requested_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE delivery.endpoint_tests AS test
SET taken_at = now()
FROM asked
WHERE test.id = asked.id
RETURNING test.id, test.endpoint_id, test.requested_at;
