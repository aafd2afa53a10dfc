-- Which endpoints only fail, and since when: at last they are disabled, and what waited too long for them is missed.
-- migrate:up

-- A row from the first failure on, until the next success. The default endpoint, which has no row of its own, has one here.
CREATE TABLE delivery.failing_endpoints (
    endpoint_id uuid        PRIMARY KEY,
    since       timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, DELETE ON delivery.failing_endpoints TO carillon_webhook_worker;

CREATE OR REPLACE FUNCTION delivery.remove_endpoint(endpoint_id uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE delivery.endpoints AS endpoint
    SET
        version = endpoint.version + 1,
        headers = NULL,
        secret = NULL,
        previous_secret = NULL,
        previous_secret_until = NULL,
        updated_at = greatest(now(), endpoint.updated_at),
        deleted_at = now()
    WHERE endpoint.id = endpoint_id AND endpoint.deleted_at IS NULL;
    DELETE FROM delivery.failing_endpoints AS failing WHERE failing.endpoint_id = remove_endpoint.endpoint_id;
END;
