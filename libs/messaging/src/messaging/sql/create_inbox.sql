-- For a consumer with a database of its own; in Carillon's, a migration has made it. Several may come at once.
DO $$
BEGIN
    IF to_regclass('inbox.messages') IS NULL THEN
        PERFORM pg_advisory_xact_lock(hashtext('inbox.messages'));
        CREATE SCHEMA IF NOT EXISTS inbox;
        CREATE TABLE IF NOT EXISTS inbox.messages (
            consumer   text        NOT NULL,
            message_id uuid        NOT NULL,
            handled_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (consumer, message_id)
        );
        CREATE INDEX IF NOT EXISTS messages_by_age ON inbox.messages (handled_at);
    END IF;
END
$$;
