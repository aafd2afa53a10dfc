-- Fan-out: an event goes to every endpoint that wants it, and each endpoint's deliveries are claimed apart.
-- migrate:up

-- Claims look for what is due endpoint by endpoint: one that hangs has its own, and fills nobody else's batch.
-- `deliveries_due` stays for as long as a worker of the release before may run.
CREATE INDEX deliveries_due_by_endpoint ON delivery.deliveries (endpoint_id, next_attempt_at)
WHERE status = 'pending';

-- A uuid v7 (RFC 9562 §5.7), for rows whose number only a statement knows. PostgreSQL has its own from 18 on.
CREATE FUNCTION delivery.new_id() RETURNS uuid
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT encode(
        set_bit(
            set_bit(
                overlay(
                    uuid_send(gen_random_uuid())
                    PLACING substring(int8send(floor(extract(EPOCH FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                    FROM 1 FOR 6
                ),
                52, 1
            ),
            53, 1
        ),
        'hex'
    )::uuid;
END;
REVOKE ALL ON FUNCTION delivery.new_id FROM PUBLIC;
GRANT EXECUTE ON FUNCTION delivery.new_id TO carillon_webhook_worker;

-- A worker whose webhook was answered with 410 disables the endpoint, and changes nothing else of it.
GRANT UPDATE (version, enabled, disabled_reason, updated_at) ON delivery.endpoints TO carillon_webhook_worker;
