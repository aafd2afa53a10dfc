UPDATE delivery.endpoint_tests
SET ended_at = now(), status = $2, latency_ms = $3, error = $4, body = $5
WHERE id = $1;
