-- What the user API keeps of requests: replies to repeat, and how much each client may still ask.
-- migrate:up

-- A POST with an Idempotency-Key: written in the transaction of its effect, kept for 24 hours.
CREATE TABLE users.idempotency_keys (
    -- SHA-256 of the caller and the key; neither is kept as it was sent.
    id        bytea       PRIMARY KEY,
    -- SHA-256 of method, address and body: another request under the same key is refused.
    request   bytea       NOT NULL,
    status    smallint    NOT NULL,
    headers   jsonb       NOT NULL,
    body      bytea       NOT NULL,
    -- Whom the reply tells of: it goes with them.
    user_id   uuid        REFERENCES users.users ON DELETE CASCADE,
    stored_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idempotency_keys_by_user ON users.idempotency_keys (user_id);
CREATE INDEX idempotency_keys_by_age ON users.idempotency_keys (stored_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON users.idempotency_keys TO carillon_user_api;

-- A token bucket a client, from which processes lease. Lost in a crash, which fills every bucket: no harm.
CREATE UNLOGGED TABLE users.rate_limits (
    -- SHA-256 of the caller.
    client     bytea            PRIMARY KEY,
    tokens     double precision NOT NULL,
    -- What the last lease got; RETURNING tells it to the process that asked.
    granted    integer          NOT NULL,
    updated_at timestamptz      NOT NULL
) WITH (fillfactor = 50);
GRANT SELECT, INSERT, UPDATE, DELETE ON users.rate_limits TO carillon_user_api;
