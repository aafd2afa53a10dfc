-- Occasions beside birthdays: the scheduler's copy of them, what a claim needs of them, and the API's view.
-- migrate:up

-- The newest state of each occasion that an event told of, but birthdays, which are in schedule.users. A removed one
-- stays as a tombstone without its words; those of a deleted user go, the user's tombstone speaks for them.
CREATE TABLE schedule.occasions (
    id              uuid        PRIMARY KEY,
    user_id         uuid        NOT NULL,
    version         integer     NOT NULL,
    occurred_at     timestamptz NOT NULL,
    removed         boolean     NOT NULL,
    type            text        CHECK (type IN ('ANNIVERSARY', 'REMINDER', 'NOTIFICATION')),
    -- Its own priority; without one, its type's in the topology.
    priority        smallint    CHECK (priority BETWEEN 0 AND 3),
    first_date      text,
    name            text,
    message         text,
    date            date,
    send_at_local   time,
    local_date_time timestamp,
    rrule           text,
    last_date       date,
    at              timestamptz,
    -- The nominal date emitted last, kept here while no PENDING row carries it: a one-off that rang rings no more.
    after_date      text,
    CHECK (removed OR (type IS NOT NULL AND first_date IS NOT NULL))
);
CREATE INDEX occasions_by_user ON schedule.occasions (user_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON schedule.occasions TO carillon_scheduler;

-- Version 0 holds the place of a user whose occasion was heard of first: the lock that both events need.
ALTER TABLE schedule.users
DROP CONSTRAINT users_check,
ADD CONSTRAINT users_known CHECK (version = 0 OR deleted_at IS NOT NULL OR (
    first_name IS NOT NULL AND last_name IS NOT NULL AND date_of_birth IS NOT NULL AND timezone IS NOT NULL
    AND send_at_local IS NOT NULL AND leap_day_policy IS NOT NULL AND first_date IS NOT NULL
));

-- anchor_date and send_at_local are a reminder's first local date and time, or a notification's instant as its user
-- sees it. The words stay out of history: it is dropped a month at a time, a deleted user's words must go sooner.
ALTER TABLE schedule.occurrences
ADD COLUMN name text,
ADD COLUMN message text,
ADD COLUMN rrule text,
ADD COLUMN last_date date,
ADD COLUMN occasion_version integer;

-- A user's occurrences in order of due time, a page at a time; and their PENDING rows, when they change.
CREATE INDEX occurrences_by_user ON schedule.occurrences (user_id, due_at, event_id);
CREATE INDEX history_by_user_and_due_at ON schedule.history (user_id, due_at, event_id);
DROP INDEX schedule.history_by_user;

-- What the API may see: open and past occurrences in one shape. No security barrier: no row is hidden, and behind one
-- the pages of a user with many occurrences are sorted instead of read in order.
CREATE VIEW schedule.api_occurrences AS
SELECT
    event_id AS id, event_id, occasion_id, occasion_type, user_id, status, local_date, send_at_local AS local_time,
    timezone, due_at, emitted_at, NULL::timestamptz AS completed_at, NULL::text AS failure_reason
FROM schedule.occurrences
UNION ALL
SELECT
    event_id, event_id, occasion_id, occasion_type, user_id, status, local_date, send_at_local,
    timezone, due_at, emitted_at, finished_at, failure_reason
FROM schedule.history;
GRANT USAGE ON SCHEMA schedule TO carillon_user_api;
GRANT SELECT ON schedule.api_occurrences TO carillon_user_api;
