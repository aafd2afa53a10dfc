-- Dead letters: what was taken from the dead-letter queues, to be looked at and sent back.
-- migrate:up

CREATE TABLE delivery.dead_letters (
    id                   uuid        PRIMARY KEY,
    -- The queue that it was meant for, as the topology calls it; and who could not handle it.
    queue                text        NOT NULL,
    source               text        NOT NULL CHECK (source IN ('consumer', 'subscription')),
    message_id           text        NOT NULL,
    reason               text        NOT NULL,
    event_type           text,
    -- Of its envelope, where it has one: mostly the user.
    subject              uuid,
    -- A JSON object, {"name": {"type", "value" or "binary"}}.
    attributes           text        NOT NULL,
    group_id             text,
    body                 text        NOT NULL,
    received_at          timestamptz NOT NULL DEFAULT now(),
    status               text        NOT NULL DEFAULT 'open'
    CHECK (status IN ('open', 'redriving', 'redriven', 'erased')),
    -- While it is being sent back: when somebody else may try, should who does so die.
    lease_until          timestamptz,
    redrive_requested_by text,
    -- Why it could not be sent back.
    redrive_error        text,
    redriven_at          timestamptz,
    UNIQUE (queue, message_id),
    CHECK ((status = 'redriving') = (lease_until IS NOT NULL)),
    CHECK ((status = 'redriven') = (redriven_at IS NOT NULL)),
    CHECK (status <> 'erased' OR body = '')
);
CREATE INDEX dead_letters_by_time ON delivery.dead_letters (received_at, id);
CREATE INDEX dead_letters_open ON delivery.dead_letters (queue) WHERE status = 'open';
CREATE INDEX dead_letters_redriving ON delivery.dead_letters (lease_until) WHERE status = 'redriving';
CREATE INDEX dead_letters_by_subject ON delivery.dead_letters (subject);
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery.dead_letters TO carillon_webhook_worker;

CREATE VIEW delivery.api_dead_letters AS
SELECT
    id, queue, source, message_id, reason, event_type, attributes, body, received_at, status, redrive_error, redriven_at
FROM delivery.dead_letters;
GRANT SELECT ON delivery.api_dead_letters TO carillon_user_api;

-- Marks open dead letters, by id or a whole queue's; the worker sends them back. Returns how many.
CREATE FUNCTION delivery.request_redrive(ids uuid[], queue text, requested_by text) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH marked AS (
        UPDATE delivery.dead_letters AS dead
        SET
            status = 'redriving',
            lease_until = now(),
            redrive_requested_by = request_redrive.requested_by,
            redrive_error = NULL
        WHERE dead.status = 'open' AND (dead.id = ANY(request_redrive.ids) OR dead.queue = request_redrive.queue)
        RETURNING dead.id
    )
    SELECT count(*)::integer FROM marked;
END;
REVOKE ALL ON FUNCTION delivery.request_redrive FROM PUBLIC;
GRANT EXECUTE ON FUNCTION delivery.request_redrive TO carillon_user_api;
