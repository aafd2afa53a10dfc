-- The outbox: a row committed is a message sent, at least once; a row rolled back is never sent.
-- migrate:up
CREATE TABLE outbox.messages (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id     uuid        NOT NULL,
    event_type   text        NOT NULL,
    priority     smallint    NOT NULL CHECK (priority BETWEEN 0 AND 3),
    group_id     text        NOT NULL,
    attributes   jsonb       NOT NULL,
    body         text        NOT NULL,
    appended_at  timestamptz NOT NULL DEFAULT now(),
    -- When it may be relayed: at once; after a lease, when that lease ends; after a failure, a little later.
    available_at timestamptz NOT NULL DEFAULT now(),
    lease_token  uuid,
    tries        integer     NOT NULL DEFAULT 0
) WITH (
    -- Rows live for milliseconds: vacuum by count, at full speed, or the index keeps their ghosts.
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000
);
CREATE INDEX messages_by_priority_and_age ON outbox.messages (priority, available_at);

-- What SNS refused for good (SenderFault), kept with the reason until someone looks.
CREATE TABLE outbox.rejected (
    id          bigint      PRIMARY KEY,
    event_id    uuid        NOT NULL,
    event_type  text        NOT NULL,
    priority    smallint    NOT NULL,
    group_id    text        NOT NULL,
    attributes  jsonb       NOT NULL,
    body        text        NOT NULL,
    appended_at timestamptz NOT NULL,
    rejected_at timestamptz NOT NULL DEFAULT now(),
    reason      text        NOT NULL
);

-- The one way in: services append, in the transaction of the change that the event tells of.
CREATE FUNCTION outbox.append(
    event_ids uuid[], event_types text[], priorities smallint[], group_ids text[], attributes jsonb[], bodies text[]
) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO outbox.messages (event_id, event_type, priority, group_id, attributes, body)
    SELECT * FROM unnest(event_ids, event_types, priorities, group_ids, attributes, bodies);
END;
REVOKE ALL ON FUNCTION outbox.append FROM PUBLIC;
GRANT EXECUTE ON FUNCTION outbox.append TO carillon_user_api, carillon_scheduler, carillon_webhook_worker;

GRANT SELECT, UPDATE, DELETE ON outbox.messages TO carillon_dispatcher;
GRANT SELECT, INSERT ON outbox.rejected TO carillon_dispatcher;

-- Message ids that a consumer without a natural key has handled.
CREATE TABLE inbox.messages (
    consumer   text        NOT NULL,
    message_id uuid        NOT NULL,
    handled_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, message_id)
);
CREATE INDEX messages_by_age ON inbox.messages (handled_at);
GRANT SELECT, INSERT, DELETE ON inbox.messages TO carillon_user_api, carillon_scheduler, carillon_webhook_worker;
