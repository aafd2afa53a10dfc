SELECT
    id, version, url, headers, secret, rate_limit, concurrency, timeout_seconds, enabled,
    CASE WHEN previous_secret_until > now() THEN previous_secret END AS previous_secret
FROM delivery.endpoints
WHERE deleted_at IS NULL;
