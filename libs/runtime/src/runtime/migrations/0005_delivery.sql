-- What the webhook worker owns: PostgreSQL has a delivery from the first moment.
-- migrate:up

-- One row an event received, whatever the queues repeat. `open` counts its deliveries that are not settled.
CREATE TABLE delivery.events (
    event_id     uuid        PRIMARY KEY,
    user_id      uuid        NOT NULL,
    event_type   text        NOT NULL,
    priority     smallint    NOT NULL CHECK (priority BETWEEN 0 AND 3),
    body         text        NOT NULL,
    open         integer     NOT NULL CHECK (open >= 0),
    received_at  timestamptz NOT NULL DEFAULT now(),
    -- The outcome as it was appended (its data, as JSON): a repeated event is answered with the same one.
    settled_at   timestamptz,
    outcome_type text,
    outcome      text,
    CHECK (num_nulls(settled_at, outcome_type, outcome) IN (0, 3))
);

CREATE TABLE delivery.deliveries (
    id              uuid        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    event_id        uuid        NOT NULL,
    endpoint_id     uuid        NOT NULL,
    status          text        NOT NULL DEFAULT 'pending'
    CHECK (status IN ('pending', 'delivered', 'failed', 'missed', 'cancelled')),
    attempts        integer     NOT NULL DEFAULT 0,
    -- When it is next tried; while a worker holds the lease, when that lease ends.
    next_attempt_at timestamptz NOT NULL,
    lease_token     uuid,
    reason          text,
    settled_at      timestamptz,
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
CREATE TABLE delivery.deliveries_default PARTITION OF delivery.deliveries DEFAULT;
CREATE INDEX deliveries_due ON delivery.deliveries (next_attempt_at) WHERE status = 'pending';
CREATE INDEX deliveries_by_event ON delivery.deliveries (event_id);

-- Appended unconditionally, one row an HTTP try.
CREATE TABLE delivery.attempts (
    delivery_id uuid        NOT NULL,
    attempt     integer     NOT NULL,
    at          timestamptz NOT NULL,
    event_id    uuid        NOT NULL,
    endpoint_id uuid        NOT NULL,
    status      smallint,
    latency_ms  real        NOT NULL,
    error       text,
    lease_token uuid        NOT NULL
) PARTITION BY RANGE (at);
CREATE TABLE delivery.attempts_default PARTITION OF delivery.attempts DEFAULT;
CREATE INDEX attempts_by_delivery ON delivery.attempts (delivery_id);

GRANT SELECT, INSERT, UPDATE ON delivery.events, delivery.deliveries TO carillon_webhook_worker;
GRANT SELECT, INSERT ON delivery.attempts TO carillon_webhook_worker;
