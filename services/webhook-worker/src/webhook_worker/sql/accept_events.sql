-- $7 the default endpoint or null, $8 lease token, $9 lease, $10 each event's place in its trace. An event seen before
-- is left alone: its deliveries are fixed. A new one comes back once a delivery, or once without any; a disabled
-- endpoint's is not leased, it waits. A deleted user's is kept without its body and goes nowhere.
WITH received AS MATERIALIZED (
    SELECT
        received.*,
        -- As a value, not EXISTS, which is planned as a reading of all tombstones.
        (
            SELECT deleted.user_id FROM delivery.deleted_users AS deleted WHERE deleted.user_id = received.user_id
        ) IS NOT NULL AS erased
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::smallint[], $6::text[], $10::text[])
        WITH ORDINALITY
        AS received (event_id, user_id, event_type, webhook_type, priority, body, traceparent, position)
),
registered AS MATERIALIZED (
    SELECT id, version, event_types, enabled
    FROM delivery.endpoints
    WHERE deleted_at IS NULL
),
reached AS MATERIALIZED (
    SELECT received.event_id, registered.id AS endpoint_id, registered.version, registered.enabled
    FROM received
    INNER JOIN registered
        ON registered.event_types IS NULL OR received.webhook_type = ANY(registered.event_types)
    WHERE NOT received.erased
    UNION ALL
    SELECT received.event_id, $7::uuid, 0, true
    FROM received
    WHERE $7 IS NOT NULL AND NOT received.erased AND NOT EXISTS (SELECT FROM registered)
),
accepted AS (
    INSERT INTO delivery.events (event_id, user_id, event_type, priority, body, traceparent, open)
    SELECT
        received.event_id, received.user_id, received.event_type, received.priority,
        CASE WHEN received.erased THEN '' ELSE received.body END,
        received.traceparent, coalesce(reach.deliveries, 0)
    FROM received
    LEFT JOIN (SELECT event_id, count(*) AS deliveries FROM reached GROUP BY event_id) AS reach
        ON reach.event_id = received.event_id
    ORDER BY received.event_id
    ON CONFLICT (event_id) DO NOTHING
    RETURNING event_id
),
written AS (
    INSERT INTO delivery.deliveries (id, event_id, endpoint_id, next_attempt_at, lease_token)
    SELECT
        delivery.new_id(), reached.event_id, reached.endpoint_id,
        CASE WHEN reached.enabled THEN now() + $9::interval ELSE now() END,
        CASE WHEN reached.enabled THEN $8::uuid END
    FROM reached
    INNER JOIN accepted ON accepted.event_id = reached.event_id
    RETURNING id, created_at, event_id, endpoint_id, lease_token
)
SELECT
    accepted.event_id, written.id, written.created_at, written.endpoint_id, written.lease_token,
    coalesce(registered.version, 0) AS endpoint_version
FROM accepted
INNER JOIN received ON received.event_id = accepted.event_id
LEFT JOIN written ON written.event_id = accepted.event_id
LEFT JOIN registered ON registered.id = written.endpoint_id
ORDER BY received.position, written.endpoint_id;
