-- Deliveries and attempts by month, as history is; what a worker may forget in time; and tests of endpoints.
-- migrate:up

-- As schedule.extend_history, for both tables. Who writes deliveries waits for rows that move, a second at most for locks.
CREATE FUNCTION delivery.extend_partitions(months_ahead integer) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET lock_timeout = '1s'
AS $$
DECLARE
    parent text;
    instant text;
    month timestamptz;
    partition text;
    following timestamptz;
BEGIN
    -- One worker at a time: for the others there is nothing to do. The number is nobody else's.
    IF NOT pg_try_advisory_xact_lock(2274554612) THEN
        RETURN;
    END IF;
    FOR parent, instant IN VALUES ('deliveries', 'created_at'), ('attempts', 'at') LOOP
        FOR month IN EXECUTE format(
            'SELECT generate_series('
            '    date_trunc(''month'', now()), date_trunc(''month'', now()) + make_interval(months => %L), ''1 month'''
            ') UNION SELECT date_trunc(''month'', %I) FROM delivery.%I',
            months_ahead, instant, parent || '_default'
        ) LOOP
            partition := parent || to_char(month, '"_"YYYY_MM');
            following := month + interval '1 month';
            CONTINUE WHEN to_regclass('delivery.' || partition) IS NOT NULL;
            -- Nothing of that month may land here between the move and the attachment.
            EXECUTE format('LOCK TABLE delivery.%I IN ACCESS EXCLUSIVE MODE', parent || '_default');
            EXECUTE format('CREATE TABLE delivery.%I (LIKE delivery.%I INCLUDING ALL)', partition, parent);
            EXECUTE format(
                'WITH landed AS (DELETE FROM delivery.%I WHERE %I >= %L AND %I < %L RETURNING *)'
                ' INSERT INTO delivery.%I SELECT * FROM landed',
                parent || '_default', instant, month, instant, following, partition
            );
            EXECUTE format(
                'ALTER TABLE delivery.%I ATTACH PARTITION delivery.%I FOR VALUES FROM (%L) TO (%L)',
                parent, partition, month, following
            );
            RETURN NEXT partition;
        END LOOP;
    END LOOP;
END
$$;

-- Drops the partitions that ended more than so many months before this one began, but none in which a delivery waits.
CREATE FUNCTION delivery.drop_partitions(months_kept integer) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET lock_timeout = '1s'
AS $$
DECLARE
    partition text;
    waits boolean := false;
BEGIN
    IF months_kept < 1 THEN
        RAISE 'deliveries are kept for a month at least, not for %', months_kept;
    END IF;
    IF NOT pg_try_advisory_xact_lock(2274554612) THEN
        RETURN;
    END IF;
    FOR partition IN
        SELECT child.relname
        FROM pg_inherits INNER JOIN pg_class AS child ON child.oid = inhrelid
        WHERE inhparent IN ('delivery.deliveries'::regclass, 'delivery.attempts'::regclass)
            AND child.relname ~ '_\d{4}_\d{2}$'
            AND right(child.relname, 7) < to_char(
                date_trunc('month', now()) - make_interval(months => months_kept), 'YYYY_MM'
            )
        ORDER BY child.relname
    LOOP
        IF partition LIKE 'deliveries%' THEN
            EXECUTE format('SELECT EXISTS (SELECT FROM delivery.%I WHERE status = ''pending'')', partition) INTO waits;
            CONTINUE WHEN waits;
        END IF;
        EXECUTE format('DROP TABLE delivery.%I', partition);
        RETURN NEXT partition;
    END LOOP;
END
$$;

-- An event is known again by its primary key, which no partition could have: what is as old as a dropped delivery is
-- deleted, some at a time. Returns how many.
CREATE FUNCTION delivery.forget_events(months_kept integer, most integer) RETURNS integer
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
BEGIN ATOMIC
    WITH old AS MATERIALIZED (
        SELECT event.event_id
        FROM delivery.events AS event
        WHERE
            event.received_at < date_trunc('month', now()) - make_interval(months => greatest(months_kept, 1))
            AND event.open = 0
        ORDER BY event.received_at
        LIMIT most
        FOR UPDATE SKIP LOCKED
    ),
    forgotten AS (
        DELETE FROM delivery.events AS event USING old WHERE event.event_id = old.event_id RETURNING event.event_id
    )
    SELECT count(*)::integer FROM forgotten;
END;
CREATE INDEX events_received ON delivery.events (received_at);

-- Once its overlap has ended, a secret signs nothing and need not be kept. Returns how many were erased.
CREATE FUNCTION delivery.erase_old_secrets() RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH erased AS (
        UPDATE delivery.endpoints AS endpoint
        SET previous_secret = NULL, previous_secret_until = NULL
        WHERE endpoint.previous_secret_until <= now()
        RETURNING endpoint.id
    )
    SELECT count(*)::integer FROM erased;
END;

-- An overlap that has ended is none, whether or not somebody has erased its secret yet.
CREATE OR REPLACE VIEW delivery.api_endpoints AS
SELECT
    id, version, url, event_types, description, header_names, rate_limit, concurrency, timeout_seconds, enabled,
    disabled_reason, CASE WHEN previous_secret_until > now() THEN previous_secret_until END AS previous_secret_until,
    created_at, updated_at
FROM delivery.endpoints
WHERE deleted_at IS NULL;

REVOKE ALL ON FUNCTION
    delivery.extend_partitions, delivery.drop_partitions, delivery.forget_events, delivery.erase_old_secrets
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    delivery.extend_partitions, delivery.drop_partitions, delivery.forget_events, delivery.erase_old_secrets
TO carillon_webhook_worker;

-- From the first day on, so that the default partitions stay empty.
DO $$
BEGIN
    PERFORM delivery.extend_partitions(3);
END
$$;

-- A test of an endpoint is asked for by the API and made by a worker, once, by the way that every webhook takes.
CREATE TABLE delivery.endpoint_tests (
    id           uuid        PRIMARY KEY,
    endpoint_id  uuid        NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    taken_at     timestamptz,
    ended_at     timestamptz,
    status       smallint,
    latency_ms   real,
    error        text,
    body         text
);
CREATE INDEX endpoint_tests_new ON delivery.endpoint_tests (requested_at) WHERE taken_at IS NULL;
GRANT SELECT, UPDATE, DELETE ON delivery.endpoint_tests TO carillon_webhook_worker;

CREATE VIEW delivery.api_endpoint_tests AS
SELECT id, taken_at, ended_at, status, latency_ms, error, body
FROM delivery.endpoint_tests;
GRANT SELECT ON delivery.api_endpoint_tests TO carillon_user_api;

CREATE FUNCTION delivery.request_endpoint_test(test_id uuid, endpoint_id uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO delivery.endpoint_tests (id, endpoint_id) VALUES (test_id, request_endpoint_test.endpoint_id);
END;
REVOKE ALL ON FUNCTION delivery.request_endpoint_test FROM PUBLIC;
GRANT EXECUTE ON FUNCTION delivery.request_endpoint_test TO carillon_user_api;
