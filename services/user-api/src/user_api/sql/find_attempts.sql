SELECT
    attempt, at, status, latency_ms, resolve_ms, read_ms, error, error_kind, response_headers, response_body, trace_id
FROM delivery.api_attempts
WHERE delivery_id = $1
ORDER BY at, attempt;
