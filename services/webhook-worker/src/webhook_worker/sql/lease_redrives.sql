-- $1 the most at once, $2 the lease.
WITH asked AS MATERIALIZED (
    SELECT id
    FROM delivery.dead_letters
    WHERE status = 'redriving' AND lease_until <= now()
    ORDER BY lease_until, received_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE delivery.dead_letters AS dead
SET lease_until = now() + $2::interval
FROM asked
WHERE dead.id = asked.id
RETURNING dead.id, dead.queue, dead.body, dead.attributes, dead.group_id;
