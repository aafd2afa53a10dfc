-- What a claim needs to know of a row besides its date: how urgent it is, whether it may ring, since when it waits.
-- Columns without a value are for rows that an older version planned, or has yet to plan beside this one.
-- migrate:up
ALTER TABLE schedule.occurrences
-- Why it must not ring now, such as 'paused'; null where it may.
ADD COLUMN parked text,
-- How often in a row it was emitted again without an answer.
ADD COLUMN unanswered smallint NOT NULL DEFAULT 0,
-- What spreads a burst; it is in due_at already.
ADD COLUMN jitter_seconds integer NOT NULL DEFAULT 0,
-- The release of the tz database that due_at was derived under, such as 2026f.
ADD COLUMN tz_database text,
-- When its date was planned, by the business clock.
ADD COLUMN planned_at timestamptz,
-- From when on it could ring: the later of due_at and the change that set its date. Lateness counts from here.
ADD COLUMN ripe_at timestamptz;

ALTER TABLE schedule.history ADD COLUMN jitter_seconds integer NOT NULL DEFAULT 0;

-- When the change that made a user's newest state occurred.
ALTER TABLE schedule.users ADD COLUMN occurred_at timestamptz;

-- The most urgent first. An older version beside this one finds what is due without an index: slower, not wrong.
CREATE INDEX occurrences_due_by_priority ON schedule.occurrences (priority, due_at)
WHERE status = 'PENDING' AND parked IS NULL;
DROP INDEX schedule.occurrences_due;

-- The last sign of life of any scheduler, and when the last silence ended, both by the business clock.
CREATE TABLE schedule.pulse (
    one          boolean     PRIMARY KEY DEFAULT true CHECK (one),
    last_seen_at timestamptz,
    returned_at  timestamptz NOT NULL DEFAULT 'epoch'
) WITH (fillfactor = 10); -- room for many versions of the one row in its page
INSERT INTO schedule.pulse DEFAULT VALUES;
GRANT SELECT, UPDATE ON schedule.pulse TO carillon_scheduler;
