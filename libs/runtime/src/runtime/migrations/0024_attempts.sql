-- Attempts keep what came back, how long each part of them took, and which trace they belong to.
-- migrate:up

ALTER TABLE delivery.attempts
-- Why there was no answer, in one word; `error` says it in words.
ADD COLUMN error_kind text,
-- The part of `latency_ms` in which the host's addresses were found; null where the transport does not tell.
ADD COLUMN resolve_ms real,
-- After `latency_ms`: how long the answer's body took to read.
ADD COLUMN read_ms real,
-- As text, an object: nobody searches it.
ADD COLUMN response_headers json,
-- The first 1,024 bytes.
ADD COLUMN response_body text,
ADD COLUMN trace_id text;

-- Rows written before have none, so nothing needs to be read for it.
ALTER TABLE delivery.attempts
ADD CONSTRAINT a_known_kind_of_error CHECK (
    error_kind IN (
        'name_not_resolved', 'not_allowed', 'proxy_failed', 'connect_timeout', 'connection_failed', 'tls_failed',
        'connection_lost', 'timeout', 'unexpected'
    )
) NOT VALID;

-- A partner's answer may name the user: it goes when they are deleted.
GRANT UPDATE (response_headers, response_body) ON delivery.attempts TO carillon_webhook_worker;

-- What the API may see of them: all but the lease.
CREATE OR REPLACE VIEW delivery.api_attempts AS
SELECT
    delivery_id, attempt, at, status, latency_ms, error, error_kind, resolve_ms, read_ms, response_headers,
    response_body, trace_id
FROM delivery.attempts;
GRANT SELECT ON delivery.api_attempts TO carillon_user_api;
