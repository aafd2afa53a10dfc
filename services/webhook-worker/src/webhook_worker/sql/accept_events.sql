-- $7 endpoint, $8 lease token, $9 lease. An event seen before is left alone: its deliveries are fixed.
WITH received AS (
    SELECT *
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::smallint[], $5::text[], $6::uuid[])
        AS received (event_id, user_id, event_type, priority, body, delivery_id)
),
accepted AS (
    INSERT INTO delivery.events (event_id, user_id, event_type, priority, body, open)
    SELECT event_id, user_id, event_type, priority, body, 1
    FROM received
    ORDER BY event_id
    ON CONFLICT (event_id) DO NOTHING
    RETURNING event_id
)
INSERT INTO delivery.deliveries (id, event_id, endpoint_id, next_attempt_at, lease_token)
SELECT received.delivery_id, received.event_id, $7, now() + $9::interval, $8
FROM received
INNER JOIN accepted ON accepted.event_id = received.event_id
RETURNING id, created_at, event_id;
