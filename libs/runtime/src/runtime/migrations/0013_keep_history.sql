-- History by month, made ahead and dropped whole, without an extension; and what the scheduler may forget in time.
-- migrate:up

-- Makes the partitions of this month and of those ahead (UTC, as all of them), and of every month whose rows landed in
-- the default partition, which move there: only a run of months without this function leaves any. Returns their names.
-- Attaching lets finished occurrences in; they wait for rows that move, nobody waits for a lock longer than a second.
CREATE FUNCTION schedule.extend_history(months_ahead integer) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET lock_timeout = '1s'
AS $$
DECLARE
    month timestamptz;
    partition text;
    following timestamptz;
BEGIN
    -- One scheduler at a time: for the others there is nothing to do. The number is nobody else's.
    IF NOT pg_try_advisory_xact_lock(2274554611) THEN
        RETURN;
    END IF;
    FOR month IN
        SELECT generate_series(
            date_trunc('month', now()), date_trunc('month', now()) + make_interval(months => months_ahead), '1 month'
        )
        UNION
        SELECT date_trunc('month', finished_at) FROM schedule.history_default
    LOOP
        partition := to_char(month, '"history_"YYYY_MM');
        following := month + interval '1 month';
        CONTINUE WHEN to_regclass('schedule.' || partition) IS NOT NULL;
        -- Nothing of that month may land here between the move and the attachment.
        LOCK TABLE schedule.history_default IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('CREATE TABLE schedule.%I (LIKE schedule.history INCLUDING ALL)', partition);
        EXECUTE format(
            'WITH landed AS ('
            '    DELETE FROM schedule.history_default WHERE finished_at >= %L AND finished_at < %L RETURNING *'
            ') INSERT INTO schedule.%I SELECT * FROM landed',
            month, following, partition
        );
        EXECUTE format(
            'ALTER TABLE schedule.history ATTACH PARTITION schedule.%I FOR VALUES FROM (%L) TO (%L)',
            partition, month, following
        );
        RETURN NEXT partition;
    END LOOP;
END
$$;

-- Drops the partitions that ended more than so many months before this one began. Returns their names.
CREATE FUNCTION schedule.drop_history(months_kept integer) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET lock_timeout = '1s'
AS $$
DECLARE
    partition text;
BEGIN
    IF months_kept < 1 THEN
        RAISE 'history is kept for a month at least, not for %', months_kept;
    END IF;
    IF NOT pg_try_advisory_xact_lock(2274554611) THEN
        RETURN;
    END IF;
    FOR partition IN
        SELECT child.relname
        FROM pg_inherits INNER JOIN pg_class AS child ON child.oid = inhrelid
        WHERE inhparent = 'schedule.history'::regclass AND child.relname ~ '^history_\d{4}_\d{2}$'
            AND child.relname < to_char(
                date_trunc('month', now()) - make_interval(months => months_kept), '"history_"YYYY_MM'
            )
        ORDER BY child.relname
    LOOP
        EXECUTE format('DROP TABLE schedule.%I', partition);
        RETURN NEXT partition;
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION schedule.extend_history, schedule.drop_history FROM PUBLIC;
GRANT EXECUTE ON FUNCTION schedule.extend_history, schedule.drop_history TO carillon_scheduler;

-- From the first day on, so that the default partition stays empty.
DO $$
BEGIN
    PERFORM schedule.extend_history(3);
END
$$;

-- What is forgotten, once no queue can bring an event of it any more, is found without reading everybody.
GRANT DELETE ON schedule.users TO carillon_scheduler;
CREATE INDEX users_deleted ON schedule.users (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX users_unknown ON schedule.users (id) WHERE version = 0;
CREATE INDEX occasions_removed ON schedule.occasions (occurred_at) WHERE removed;
CREATE INDEX notifications_ended ON schedule.occasions (at) WHERE type = 'NOTIFICATION' AND after_date IS NOT NULL;
