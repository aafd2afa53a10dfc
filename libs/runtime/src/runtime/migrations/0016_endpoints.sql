-- Endpoints: where webhooks go. The worker's table; the API writes it by the functions below and sees the view.
-- migrate:up

-- Secrets and headers are encrypted before they come here (runtime.encrypt), each with the endpoint's id.
CREATE TABLE delivery.endpoints (
    id                    uuid        PRIMARY KEY,
    version               integer     NOT NULL DEFAULT 1,
    url                   text        NOT NULL,
    -- The webhooks' types, such as birthday.due; null is all, those of later releases too.
    event_types           text[]      CHECK (cardinality(event_types) > 0),
    description           text        CHECK (description <> ''),
    -- A JSON object of custom headers, and their names, which may be read.
    headers               bytea,
    header_names          text[]      NOT NULL DEFAULT '{}',
    secret                bytea,
    -- The secret before the last rotation signs beside the new one until then.
    previous_secret       bytea,
    previous_secret_until timestamptz,
    -- Requests a second; null is no limit.
    rate_limit            integer     CHECK (rate_limit > 0),
    concurrency           integer     NOT NULL DEFAULT 10 CHECK (concurrency > 0),
    timeout_seconds       integer     NOT NULL DEFAULT 30 CHECK (timeout_seconds > 0),
    enabled               boolean     NOT NULL DEFAULT true,
    disabled_reason       text        CHECK (disabled_reason IN ('manual', 'gone', 'failing')),
    created_at            timestamptz NOT NULL DEFAULT now(),
    updated_at            timestamptz NOT NULL DEFAULT now(),
    -- A removed one stays, so that its deliveries know, without what it kept secret.
    deleted_at            timestamptz,
    CONSTRAINT a_disabled_one_has_a_reason CHECK (enabled = (disabled_reason IS NULL)),
    CONSTRAINT headers_have_names CHECK (deleted_at IS NOT NULL OR (headers IS NULL) = (header_names = '{}')),
    CONSTRAINT a_previous_secret_ends CHECK ((previous_secret IS NULL) = (previous_secret_until IS NULL)),
    CONSTRAINT only_a_removed_one_has_no_secret CHECK ((secret IS NULL) = (deleted_at IS NOT NULL)),
    CONSTRAINT a_removed_one_keeps_no_secret
    CHECK (deleted_at IS NULL OR num_nonnulls(headers, secret, previous_secret) = 0)
);
GRANT SELECT ON delivery.endpoints TO carillon_webhook_worker;

-- What the API may see. It knows that there are secrets, and none of them.
CREATE VIEW delivery.api_endpoints AS
SELECT
    id, version, url, event_types, description, header_names, rate_limit, concurrency, timeout_seconds, enabled,
    disabled_reason, previous_secret_until, created_at, updated_at
FROM delivery.endpoints
WHERE deleted_at IS NULL;
GRANT USAGE ON SCHEMA delivery TO carillon_user_api;
GRANT SELECT ON delivery.api_endpoints TO carillon_user_api;

CREATE FUNCTION delivery.create_endpoint(
    endpoint_id uuid, url text, event_types text[], description text, headers bytea, header_names text[], secret bytea,
    rate_limit integer, concurrency integer, timeout_seconds integer, enabled boolean
) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO delivery.endpoints (
        id, url, event_types, description, headers, header_names, secret, rate_limit, concurrency, timeout_seconds,
        enabled, disabled_reason
    )
    VALUES (
        endpoint_id, url, event_types, description, headers, header_names, secret, rate_limit, concurrency,
        timeout_seconds, enabled, CASE WHEN NOT enabled THEN 'manual' END
    );
END;

-- Nobody else changes it until the transaction ends. Its headers are given, encrypted, to whoever changes some of them.
CREATE FUNCTION delivery.lock_endpoint(endpoint_id uuid) RETURNS TABLE (headers bytea)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT endpoint.headers
    FROM delivery.endpoints AS endpoint
    WHERE endpoint.id = endpoint_id AND endpoint.deleted_at IS NULL
    FOR UPDATE;
END;

-- One that stays disabled keeps its reason.
CREATE FUNCTION delivery.replace_endpoint(
    endpoint_id uuid, url text, event_types text[], description text, headers bytea, header_names text[],
    rate_limit integer, concurrency integer, timeout_seconds integer, enabled boolean
) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE delivery.endpoints AS endpoint
    SET
        version = endpoint.version + 1,
        url = replace_endpoint.url,
        event_types = replace_endpoint.event_types,
        description = replace_endpoint.description,
        headers = replace_endpoint.headers,
        header_names = replace_endpoint.header_names,
        rate_limit = replace_endpoint.rate_limit,
        concurrency = replace_endpoint.concurrency,
        timeout_seconds = replace_endpoint.timeout_seconds,
        enabled = replace_endpoint.enabled,
        disabled_reason = CASE WHEN NOT replace_endpoint.enabled THEN coalesce(endpoint.disabled_reason, 'manual') END,
        updated_at = greatest(now(), endpoint.updated_at)
    WHERE endpoint.id = endpoint_id AND endpoint.deleted_at IS NULL;
END;

CREATE FUNCTION delivery.rotate_endpoint_secret(endpoint_id uuid, secret bytea, overlap interval) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE delivery.endpoints AS endpoint
    SET
        version = endpoint.version + 1,
        secret = rotate_endpoint_secret.secret,
        previous_secret = endpoint.secret,
        previous_secret_until = now() + overlap,
        updated_at = greatest(now(), endpoint.updated_at)
    WHERE endpoint.id = endpoint_id AND endpoint.deleted_at IS NULL;
END;

CREATE FUNCTION delivery.remove_endpoint(endpoint_id uuid) RETURNS void
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
END;

REVOKE ALL ON FUNCTION
    delivery.create_endpoint, delivery.lock_endpoint, delivery.replace_endpoint, delivery.rotate_endpoint_secret,
    delivery.remove_endpoint
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    delivery.create_endpoint, delivery.lock_endpoint, delivery.replace_endpoint, delivery.rotate_endpoint_secret,
    delivery.remove_endpoint
TO carillon_user_api;

-- A reply that holds a secret is kept encrypted, with the key's digest that is its id.
ALTER TABLE users.idempotency_keys ADD COLUMN encrypted boolean NOT NULL DEFAULT false;
