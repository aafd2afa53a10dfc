INSERT INTO delivery.attempts (
    delivery_id, attempt, at, event_id, endpoint_id, status, latency_ms, error, lease_token
)
SELECT *
FROM unnest(
    $1::uuid[], $2::integer[], $3::timestamptz[], $4::uuid[], $5::uuid[], $6::smallint[], $7::real[], $8::text[],
    $9::uuid[]
);
