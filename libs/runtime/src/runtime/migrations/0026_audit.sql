-- The audit: who changed what, when, in which trace. Ids and kinds only, so that it may outlive whom it tells of.
-- migrate:up
CREATE SCHEMA audit;

CREATE TABLE audit.entries (
    -- The event's id, where an event tells of the change: told again it is known.
    id        uuid        NOT NULL,
    at        timestamptz NOT NULL,
    -- An event type, or a change that no event tells of: OccurrenceCancelled, EndpointCreated, DeliveryDelivered …
    what      text        NOT NULL,
    who       text        NOT NULL,
    about     text        NOT NULL
    CHECK (about IN ('user', 'occasion', 'occurrence', 'endpoint', 'delivery', 'event_type')),
    about_id  text        NOT NULL,
    user_id   uuid,
    version   integer,
    trace_id  text,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE audit.entries_default PARTITION OF audit.entries DEFAULT;
CREATE INDEX entries_by_subject ON audit.entries (about_id, at);
CREATE INDEX entries_by_user ON audit.entries (user_id, at) WHERE user_id IS NOT NULL;
CREATE INDEX entries_by_time ON audit.entries (at);

-- Append-only by privileges; and whoever owns it changes nothing by mistake. A month is dropped as a whole.
CREATE FUNCTION audit.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE 'the audit is appended to, never changed';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.entries
FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON audit.entries
FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();

-- The scheduler writes what events tell, and nothing else may.
GRANT USAGE ON SCHEMA audit TO carillon_scheduler;
GRANT INSERT ON audit.entries TO carillon_scheduler;

-- Who reads it: a role to grant to people. It has no login.
DO $$
BEGIN
    CREATE ROLE carillon_auditor NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- made for another database of this cluster
END
$$;
CREATE VIEW audit.api_entries AS
SELECT at, what, who, about, about_id, user_id, version, trace_id, id
FROM audit.entries;
GRANT USAGE ON SCHEMA audit TO carillon_auditor;
GRANT SELECT ON audit.api_entries TO carillon_auditor;

-- Who acts: whom the transaction names (the API does), else the service by its role. What may be an address is hashed.
CREATE FUNCTION audit.actor(named text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE
        WHEN coalesce(named, '') = '' THEN replace(regexp_replace(session_user, '^carillon_', ''), '_', '-')
        WHEN named ~ '^[A-Za-z0-9_.:|-]{1,80}$' THEN named
        ELSE 'sha256:' || left(encode(sha256(convert_to(named, 'UTF8')), 'hex'), 16)
    END;
END;

-- What no event tells of is written down where it happens, in the same transaction, whoever does it.
CREATE FUNCTION audit.record() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    entry audit.entries;
BEGIN
    entry.id := gen_random_uuid();
    entry.at := now();
    entry.who := audit.actor(current_setting('carillon.actor', true));
    entry.trace_id := nullif(current_setting('carillon.trace', true), '');
    CASE TG_TABLE_SCHEMA || '.' || TG_ARGV[0]
        WHEN 'delivery.endpoints' THEN
            entry.about := 'endpoint';
            entry.about_id := NEW.id;
            entry.version := NEW.version;
            IF TG_OP = 'INSERT' THEN
                entry.what := 'EndpointCreated';
            ELSIF NEW.deleted_at IS NOT NULL THEN
                entry.what := 'EndpointRemoved';
            ELSIF NEW.enabled <> OLD.enabled THEN
                entry.what := CASE WHEN NEW.enabled THEN 'EndpointEnabled' ELSE 'EndpointDisabled' END;
            ELSIF NEW.secret IS DISTINCT FROM OLD.secret THEN
                entry.what := 'EndpointSecretRotated';
            ELSE
                entry.what := 'EndpointChanged';
            END IF;
        WHEN 'delivery.deliveries' THEN
            entry.about := 'delivery';
            entry.about_id := NEW.id;
            entry.what := CASE WHEN NEW.status = 'pending' THEN 'DeliveryReopened'
                ELSE 'Delivery' || initcap(NEW.status) END;
            SELECT event.user_id, split_part(event.traceparent, '-', 2) INTO entry.user_id, entry.trace_id
            FROM delivery.events AS event
            WHERE event.event_id = NEW.event_id;
        WHEN 'schedule.history' THEN
            entry.about := 'occurrence';
            entry.about_id := NEW.event_id;
            entry.user_id := NEW.user_id;
            entry.what := 'OccurrenceCancelled';
        WHEN 'schedule.pauses' THEN
            entry.about := CASE WHEN NEW.occasion_id IS NULL THEN 'event_type' ELSE 'occasion' END;
            entry.about_id := coalesce(NEW.occasion_id::text, NEW.occasion_type);
            entry.user_id := NEW.user_id;
            IF NEW.resumed_at IS NULL THEN
                entry.what := 'Paused';
                entry.who := audit.actor(NEW.paused_by);
            ELSE
                entry.what := 'Resumed';
            END IF;
    END CASE;
    INSERT INTO audit.entries VALUES (entry.*);
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION audit.record, audit.refuse_change, audit.actor FROM PUBLIC;

CREATE TRIGGER audited_insert AFTER INSERT ON delivery.endpoints
FOR EACH ROW EXECUTE FUNCTION audit.record('endpoints');
CREATE TRIGGER audited AFTER UPDATE ON delivery.endpoints
FOR EACH ROW WHEN (NEW.version <> OLD.version) EXECUTE FUNCTION audit.record('endpoints');
-- A lease changes no status, and costs nothing here.
CREATE TRIGGER audited AFTER UPDATE ON delivery.deliveries
FOR EACH ROW WHEN (NEW.status <> OLD.status) EXECUTE FUNCTION audit.record('deliveries');
CREATE TRIGGER audited AFTER INSERT ON schedule.history
FOR EACH ROW WHEN (NEW.status = 'CANCELLED') EXECUTE FUNCTION audit.record('history');
CREATE TRIGGER audited AFTER INSERT OR UPDATE ON schedule.pauses
FOR EACH ROW EXECUTE FUNCTION audit.record('pauses');

-- Makes the partitions of this month and of those ahead (UTC). Returns their names. A month whose rows are in the default
-- partition already, as after a run of months without this, stays there.
CREATE FUNCTION audit.extend_entries(months_ahead integer) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET lock_timeout = '1s'
AS $$
DECLARE
    month timestamptz;
    partition text;
BEGIN
    -- One scheduler at a time. The number is nobody else's.
    IF NOT pg_try_advisory_xact_lock(2274554612) THEN
        RETURN;
    END IF;
    FOR month IN
        SELECT generate_series(
            date_trunc('month', now()), date_trunc('month', now()) + make_interval(months => months_ahead), '1 month'
        )
    LOOP
        partition := to_char(month, '"entries_"YYYY_MM');
        CONTINUE WHEN to_regclass('audit.' || partition) IS NOT NULL;
        CONTINUE WHEN EXISTS (
            SELECT FROM audit.entries_default AS entry WHERE entry.at >= month AND entry.at < month + interval '1 month'
        );
        EXECUTE format(
            'CREATE TABLE audit.%I PARTITION OF audit.entries FOR VALUES FROM (%L) TO (%L)',
            partition, month, month + interval '1 month'
        );
        RETURN NEXT partition;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION audit.extend_entries FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.extend_entries TO carillon_scheduler;

DO $$
BEGIN
    PERFORM audit.extend_entries(3);
END
$$;
