SELECT
    id, version, url, event_types, description, header_names, rate_limit, concurrency, timeout_seconds, enabled,
    disabled_reason, previous_secret_until, created_at, updated_at
FROM delivery.api_endpoints
WHERE id = $1;
