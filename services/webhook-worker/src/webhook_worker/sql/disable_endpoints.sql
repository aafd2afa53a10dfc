-- $1 endpoints that failed, $2 in which version, $3 if by a 410; $4 after how long of only failing. One that was changed
-- since it was asked is left alone; one that was changed at all has as long again.
WITH lost AS MATERIALIZED (
    SELECT endpoint.id, CASE WHEN failed.gone THEN 'gone' ELSE 'failing' END AS reason
    FROM delivery.endpoints AS endpoint
    INNER JOIN unnest($1::uuid[], $2::integer[], $3::boolean[]) AS failed (id, version, gone)
        ON failed.id = endpoint.id AND failed.version = endpoint.version
    LEFT JOIN delivery.failing_endpoints AS failing ON failing.endpoint_id = endpoint.id
    WHERE
        endpoint.enabled
        AND endpoint.deleted_at IS NULL
        AND (failed.gone OR (failing.since <= now() - $4::interval AND endpoint.updated_at <= now() - $4::interval))
    ORDER BY endpoint.id
    FOR UPDATE OF endpoint
)
UPDATE delivery.endpoints AS endpoint
SET
    version = endpoint.version + 1,
    enabled = false,
    disabled_reason = lost.reason,
    updated_at = greatest(now(), endpoint.updated_at)
FROM lost
WHERE endpoint.id = lost.id
RETURNING endpoint.id, endpoint.version, endpoint.disabled_reason AS reason, now() + $5::interval AS now;
