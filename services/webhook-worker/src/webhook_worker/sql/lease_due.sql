-- $1, $2 endpoints that have room and how much, $3 the most in all, $4 lease token, $5 lease. Only what is leased is
-- locked. The default endpoint has no row.
WITH room AS MATERIALIZED (
    SELECT room.endpoint_id, room.free, coalesce(endpoint.version, 0) AS version
    FROM unnest($1::uuid[], $2::integer[]) WITH ORDINALITY AS room (endpoint_id, free, position)
    LEFT JOIN delivery.endpoints AS endpoint ON endpoint.id = room.endpoint_id
    WHERE endpoint.id IS NULL OR (endpoint.enabled AND endpoint.deleted_at IS NULL)
    ORDER BY room.position
),
due AS MATERIALIZED (
    SELECT oldest.id, oldest.created_at, room.version
    FROM room
    CROSS JOIN LATERAL (
        SELECT delivery.id, delivery.created_at
        FROM delivery.deliveries AS delivery
        WHERE
            delivery.endpoint_id = room.endpoint_id
            AND delivery.status = 'pending'
            AND delivery.next_attempt_at <= now()
        ORDER BY delivery.next_attempt_at
        LIMIT room.free
        FOR UPDATE SKIP LOCKED
    ) AS oldest
    LIMIT $3
)
UPDATE delivery.deliveries AS delivery
SET lease_token = $4, next_attempt_at = now() + $5::interval
FROM due
CROSS JOIN delivery.events AS event
WHERE delivery.id = due.id AND delivery.created_at = due.created_at AND event.event_id = delivery.event_id
RETURNING
    delivery.id, delivery.created_at, delivery.event_id, delivery.endpoint_id, delivery.attempts,
    delivery.attempts_before, delivery.lease_token, due.version AS endpoint_version, event.body,
    event.traceparent;
