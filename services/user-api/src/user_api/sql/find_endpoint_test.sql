SELECT taken_at, ended_at, status, latency_ms, error, body
FROM delivery.api_endpoint_tests
WHERE id = $1;
