-- Deliveries as the API sees them, and their replay: one by one, or all that an endpoint has missed.
-- migrate:up

-- How many attempts there were when it was replayed last: its schedule begins anew from there.
ALTER TABLE delivery.deliveries ADD COLUMN attempts_before integer NOT NULL DEFAULT 0;

-- Lists and replays go by endpoint, by user, or look for the few that did not arrive.
CREATE INDEX deliveries_by_endpoint ON delivery.deliveries (endpoint_id, id);
CREATE INDEX deliveries_not_delivered ON delivery.deliveries (id) WHERE status IN ('failed', 'missed');
-- A user's are also looked for when that user is deleted.
CREATE INDEX IF NOT EXISTS events_by_user ON delivery.events (user_id);

CREATE VIEW delivery.api_deliveries AS
SELECT
    delivery.id, delivery.created_at, delivery.event_id, event.event_type, event.user_id, delivery.endpoint_id,
    delivery.status, delivery.attempts, delivery.reason, delivery.settled_at,
    CASE WHEN delivery.status = 'pending' THEN delivery.next_attempt_at END AS next_attempt_at
FROM delivery.deliveries AS delivery
INNER JOIN delivery.events AS event ON event.event_id = delivery.event_id;

-- All of an endpoint's that were made within a time and ended so. The worker opens them again, some at a time, in order
-- of id; `position` is the last it has looked at, so that none is opened twice by one replay.
CREATE TABLE delivery.replays (
    id           uuid        PRIMARY KEY,
    endpoint_id  uuid        NOT NULL,
    since        timestamptz NOT NULL,
    until        timestamptz NOT NULL,
    statuses     text[]      NOT NULL CHECK (statuses <@ '{delivered,failed,missed}' AND cardinality(statuses) > 0),
    requested_at timestamptz NOT NULL DEFAULT now(),
    requested_by text        NOT NULL,
    -- How many there were to open when it was asked for, and how many were opened.
    deliveries   integer     NOT NULL,
    reopened     integer     NOT NULL DEFAULT 0,
    position     uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    -- When the next ones are opened: a replay keeps to a rate.
    next_at      timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz
);
CREATE INDEX replays_open ON delivery.replays (next_at) WHERE finished_at IS NULL;
GRANT SELECT, UPDATE, DELETE ON delivery.replays TO carillon_webhook_worker;

CREATE VIEW delivery.api_replays AS
SELECT id, endpoint_id, since, until, statuses, requested_at, deliveries, reopened, finished_at
FROM delivery.replays;

GRANT SELECT ON delivery.api_deliveries, delivery.api_replays TO carillon_user_api;

-- Opens settled deliveries again and counts them open at their events, whose outcomes stay as they were told. Locks as
-- those who settle do: deliveries, then events, in order of id. Returns how many were opened.
CREATE FUNCTION delivery.reopen_deliveries(ids uuid[]) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH settled AS MATERIALIZED (
        SELECT delivery.id, delivery.created_at
        FROM delivery.deliveries AS delivery
        WHERE
            delivery.id = ANY(reopen_deliveries.ids)
            AND delivery.status IN ('delivered', 'failed', 'missed')
            -- An endpoint that was removed, or words that were erased, cannot be sent any more.
            AND NOT EXISTS (
                SELECT FROM delivery.endpoints AS endpoint
                WHERE endpoint.id = delivery.endpoint_id AND endpoint.deleted_at IS NOT NULL
            )
            AND EXISTS (
                SELECT FROM delivery.events AS event WHERE event.event_id = delivery.event_id AND event.body <> ''
            )
        ORDER BY delivery.id
        FOR UPDATE OF delivery
    ),
    reopened AS (
        UPDATE delivery.deliveries AS delivery
        SET
            status = 'pending',
            attempts_before = delivery.attempts,
            next_attempt_at = now(),
            lease_token = NULL,
            settled_at = NULL
        FROM settled
        WHERE delivery.id = settled.id AND delivery.created_at = settled.created_at
        RETURNING delivery.event_id
    ),
    counted AS MATERIALIZED (
        SELECT reopened.event_id, count(*) AS deliveries FROM reopened GROUP BY reopened.event_id
    ),
    locked AS MATERIALIZED (
        SELECT event.event_id
        FROM delivery.events AS event
        WHERE event.event_id IN (SELECT counted.event_id FROM counted)
        ORDER BY event.event_id
        FOR UPDATE
    ),
    opened AS (
        UPDATE delivery.events AS event
        SET open = event.open + counted.deliveries
        FROM locked
        INNER JOIN counted ON counted.event_id = locked.event_id
        WHERE event.event_id = locked.event_id
        RETURNING counted.deliveries
    )
    SELECT coalesce(sum(opened.deliveries), 0)::integer FROM opened;
END;

-- One is opened again, or, still open, is tried at once rather than when its schedule says; one under way is left alone.
CREATE FUNCTION delivery.retry_delivery(delivery_id uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- Who is settling it just now is waited for; what follows sees how it ended.
    SELECT FROM delivery.deliveries AS delivery WHERE delivery.id = delivery_id FOR UPDATE;
    UPDATE delivery.deliveries AS delivery
    SET next_attempt_at = now()
    WHERE
        delivery.id = delivery_id AND delivery.status = 'pending' AND delivery.lease_token IS NULL
        AND delivery.next_attempt_at > now();
    SELECT delivery.reopen_deliveries(ARRAY[delivery_id]);
END;

-- Returns how many deliveries there are to open now.
CREATE FUNCTION delivery.request_replay(
    replay_id uuid, endpoint_id uuid, since timestamptz, until timestamptz, statuses text[], requested_by text
) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO delivery.replays (id, endpoint_id, since, until, statuses, requested_by, deliveries)
    SELECT
        replay_id, request_replay.endpoint_id, request_replay.since, coalesce(request_replay.until, now()),
        request_replay.statuses, request_replay.requested_by, count(*)
    FROM delivery.deliveries AS delivery
    WHERE
        delivery.endpoint_id = request_replay.endpoint_id
        AND delivery.created_at >= request_replay.since
        AND delivery.created_at < coalesce(request_replay.until, now())
        AND delivery.status = ANY(request_replay.statuses)
        AND NOT EXISTS (
            SELECT FROM delivery.endpoints AS endpoint
            WHERE endpoint.id = delivery.endpoint_id AND endpoint.deleted_at IS NOT NULL
        )
    RETURNING deliveries;
END;

REVOKE ALL ON FUNCTION delivery.reopen_deliveries, delivery.retry_delivery, delivery.request_replay FROM PUBLIC;
GRANT EXECUTE ON FUNCTION delivery.reopen_deliveries TO carillon_webhook_worker;
GRANT EXECUTE ON FUNCTION delivery.retry_delivery, delivery.request_replay TO carillon_user_api;
