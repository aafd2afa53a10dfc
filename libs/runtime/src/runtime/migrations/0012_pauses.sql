-- Pauses: what a user, an admin or a service holds back, why, since when and who.
-- migrate:up
CREATE TABLE schedule.pauses (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- One occasion of a user's, or every one of a type.
    occasion_id   uuid        UNIQUE,
    user_id       uuid,
    occasion_type text        UNIQUE,
    note          text,
    paused_at     timestamptz NOT NULL,
    paused_by     text        NOT NULL,
    -- From then on it holds nothing back; the row stays until what it held back is let go.
    resumed_at    timestamptz,
    CONSTRAINT of_an_occasion_or_a_type CHECK (
        num_nonnulls(occasion_id, occasion_type) = 1 AND (occasion_id IS NULL) = (user_id IS NULL)
    )
);
CREATE INDEX pauses_by_user ON schedule.pauses (user_id);
CREATE INDEX pauses_resumed ON schedule.pauses (resumed_at) WHERE resumed_at IS NOT NULL;
GRANT SELECT, UPDATE, DELETE ON schedule.pauses TO carillon_scheduler;

-- What is let go when a type is resumed, in the order in which planning locks.
CREATE INDEX occurrences_paused ON schedule.occurrences (occasion_type, occasion_id)
WHERE status = 'PENDING' AND parked = 'paused';

-- A claim holds the table's ROW SHARE lock until it commits. So a pause waits for the claims under way, and what is
-- claimed later is held back; and what is resumed is let go after the last claim that could have parked it.
-- A pause that holds is left as it is; false is returned where nothing changed.
CREATE FUNCTION schedule.pause_occasion(
    of_occasion uuid, of_user uuid, why text, since timestamptz, who text
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    LOCK TABLE schedule.pauses IN EXCLUSIVE MODE;
    INSERT INTO schedule.pauses AS known (occasion_id, user_id, note, paused_at, paused_by)
    VALUES (of_occasion, of_user, why, since, who)
    ON CONFLICT (occasion_id) DO UPDATE
    SET note = excluded.note, paused_at = excluded.paused_at, paused_by = excluded.paused_by, resumed_at = NULL
    WHERE known.resumed_at IS NOT NULL;
    RETURN FOUND;
END
$$;

CREATE FUNCTION schedule.pause_event_type(
    of_type text, why text, since timestamptz, who text
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    LOCK TABLE schedule.pauses IN EXCLUSIVE MODE;
    INSERT INTO schedule.pauses AS known (occasion_type, note, paused_at, paused_by)
    VALUES (of_type, why, since, who)
    ON CONFLICT (occasion_type) DO UPDATE
    SET note = excluded.note, paused_at = excluded.paused_at, paused_by = excluded.paused_by, resumed_at = NULL
    WHERE known.resumed_at IS NOT NULL;
    RETURN FOUND;
END
$$;

CREATE FUNCTION schedule.resume_occasion(of_occasion uuid, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    LOCK TABLE schedule.pauses IN EXCLUSIVE MODE;
    UPDATE schedule.pauses SET resumed_at = at WHERE occasion_id = of_occasion AND resumed_at IS NULL;
    RETURN FOUND;
END
$$;

CREATE FUNCTION schedule.resume_event_type(of_type text, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    LOCK TABLE schedule.pauses IN EXCLUSIVE MODE;
    UPDATE schedule.pauses SET resumed_at = at WHERE occasion_type = of_type AND resumed_at IS NULL;
    RETURN FOUND;
END
$$;

REVOKE ALL ON FUNCTION
schedule.pause_occasion, schedule.pause_event_type, schedule.resume_occasion, schedule.resume_event_type FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
schedule.pause_occasion, schedule.pause_event_type, schedule.resume_occasion, schedule.resume_event_type
TO carillon_user_api;

CREATE VIEW schedule.api_pauses AS
SELECT occasion_id, user_id, occasion_type, note, paused_at, paused_by
FROM schedule.pauses
WHERE resumed_at IS NULL;
GRANT SELECT ON schedule.api_pauses TO carillon_user_api;

-- As before, with the date that an occurrence is named by, the one emitted before it and its place in a send window:
-- what previews need to find what planning finds.
CREATE OR REPLACE VIEW schedule.api_occurrences AS
SELECT
    event_id AS id, event_id, occasion_id, occasion_type, user_id, status, local_date, send_at_local AS local_time,
    timezone, due_at, emitted_at, NULL::timestamptz AS completed_at, NULL::text AS failure_reason, nominal_date,
    after_date, jitter_seconds
FROM schedule.occurrences
UNION ALL
SELECT
    event_id, event_id, occasion_id, occasion_type, user_id, status, local_date, send_at_local,
    timezone, due_at, emitted_at, finished_at, failure_reason, nominal_date, NULL, jitter_seconds
FROM schedule.history;
