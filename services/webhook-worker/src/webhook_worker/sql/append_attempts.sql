INSERT INTO delivery.attempts (
    delivery_id, attempt, at, event_id, endpoint_id, status, latency_ms, error, lease_token, error_kind, resolve_ms,
    read_ms, response_headers, response_body, trace_id
)
SELECT *
FROM unnest(
    $1::uuid[], $2::integer[], $3::timestamptz[], $4::uuid[], $5::uuid[], $6::smallint[], $7::real[], $8::text[],
    $9::uuid[], $10::text[], $11::real[], $12::real[], $13::json[], $14::text[], $15::text[]
);
