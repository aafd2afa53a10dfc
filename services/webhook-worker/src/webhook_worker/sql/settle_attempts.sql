-- $5 the new status ('pending': rescheduled), $6 the wait until the next attempt, $7 the reason. From $8 on, the attempts
-- themselves, which are appended whatever becomes of their deliveries. $23, $24 the first and the last $2, by which the
-- planner leaves the other months out: with all of them it takes 0.9 ms longer.
WITH appended AS (
    INSERT INTO delivery.attempts (
        delivery_id, attempt, at, event_id, endpoint_id, status, latency_ms, error, lease_token, error_kind, resolve_ms,
        read_ms, response_headers, response_body, trace_id
    )
    SELECT *
    FROM unnest(
        $8::uuid[], $9::integer[], $10::timestamptz[], $11::uuid[], $12::uuid[], $13::smallint[], $14::real[],
        $15::text[], $16::uuid[], $17::text[], $18::real[], $19::real[], $20::json[], $21::text[], $22::text[]
    )
)
UPDATE delivery.deliveries AS delivery
SET
    status = change.status,
    attempts = greatest(delivery.attempts, change.attempt),
    next_attempt_at = coalesce(now() + change.wait, delivery.next_attempt_at),
    lease_token = NULL,
    reason = change.reason,
    settled_at = CASE WHEN change.status <> 'pending' THEN now() END
FROM unnest(
    $1::uuid[], $2::timestamptz[], $3::uuid[], $4::integer[], $5::text[], $6::interval[], $7::text[]
) AS change (id, created_at, token, attempt, status, wait, reason)
WHERE
    delivery.id = change.id
    AND delivery.created_at = change.created_at
    AND delivery.created_at BETWEEN $23 AND $24
    AND delivery.status = 'pending'
    AND (change.status = 'delivered' OR delivery.lease_token = change.token)
RETURNING
    delivery.event_id, delivery.endpoint_id, delivery.status,
    EXISTS (
        SELECT FROM delivery.failing_endpoints AS failing WHERE failing.endpoint_id = delivery.endpoint_id
    ) AS was_failing;
