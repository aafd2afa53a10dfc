-- $1, $2 endpoints that answered 410, in the version that did: one that was changed since then is left alone.
WITH gone AS MATERIALIZED (
    SELECT endpoint.id
    FROM delivery.endpoints AS endpoint
    INNER JOIN unnest($1::uuid[], $2::integer[]) AS answered (id, version)
        ON answered.id = endpoint.id AND answered.version = endpoint.version
    WHERE endpoint.enabled AND endpoint.deleted_at IS NULL
    ORDER BY endpoint.id
    FOR UPDATE OF endpoint
)
UPDATE delivery.endpoints AS endpoint
SET
    version = endpoint.version + 1,
    enabled = false,
    disabled_reason = 'gone',
    updated_at = greatest(now(), endpoint.updated_at)
FROM gone
WHERE endpoint.id = gone.id
RETURNING endpoint.id, endpoint.version, now() + $3::interval AS now;
