-- What the scheduler owns: its copy of users, the open occurrences, and the finished ones.
-- migrate:up

-- The newest state of each user that an event told of; a deleted one stays as a tombstone without a name.
CREATE TABLE schedule.users (
    id              uuid        PRIMARY KEY,
    version         integer     NOT NULL,
    first_name      text,
    last_name       text,
    date_of_birth   date,
    timezone        text,
    send_at_local   time,
    leap_day_policy text,
    first_date      text,
    deleted_at      timestamptz,
    CHECK (deleted_at IS NOT NULL OR (
        first_name IS NOT NULL AND last_name IS NOT NULL AND date_of_birth IS NOT NULL AND timezone IS NOT NULL
        AND send_at_local IS NOT NULL AND leap_day_policy IS NOT NULL AND first_date IS NOT NULL
    ))
);

-- Open occurrences only, unpartitioned: finishing one is the move to history, so a claim's cost stays flat.
-- The row carries all that a claim reads, so a claim joins nothing.
CREATE TABLE schedule.occurrences (
    -- UUIDv5 of occasion id and nominal date: emitted again, from anywhere, it is the same event.
    event_id        uuid        PRIMARY KEY,
    occasion_id     uuid        NOT NULL,
    occasion_type   text        NOT NULL CHECK (occasion_type IN ('BIRTHDAY', 'ANNIVERSARY', 'REMINDER', 'NOTIFICATION')),
    user_id         uuid        NOT NULL,
    status          text        NOT NULL CHECK (status IN ('PENDING', 'PROCESSING')),
    priority        smallint    NOT NULL CHECK (priority BETWEEN 0 AND 3),
    -- The date before a leap-day policy shifts it, as text: 2027-02-29 is one. Text compares as dates do.
    nominal_date    text        NOT NULL,
    -- The nominal date emitted last for this occasion; it never rings on or before that date again.
    after_date      text        CHECK (after_date < nominal_date),
    local_date      date        NOT NULL,
    send_at_local   time        NOT NULL,
    timezone        text        NOT NULL,
    anchor_date     date        NOT NULL,
    leap_day_policy text        NOT NULL,
    first_name      text        NOT NULL,
    last_name       text        NOT NULL,
    due_at          timestamptz NOT NULL,
    user_version    integer     NOT NULL,
    -- Set by the claim.
    emitted_at      timestamptz,
    check_at        timestamptz,
    CHECK (status = 'PENDING' OR (emitted_at IS NOT NULL AND check_at IS NOT NULL))
) WITH (
    fillfactor = 85,
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);
CREATE UNIQUE INDEX one_pending_an_occasion ON schedule.occurrences (occasion_id) WHERE status = 'PENDING';
CREATE INDEX occurrences_due ON schedule.occurrences (due_at) WHERE status = 'PENDING';
CREATE INDEX occurrences_to_check ON schedule.occurrences (check_at) WHERE status = 'PROCESSING';

-- What is over, without the name: it is dropped a month at a time, a deleted user's name must go sooner.
CREATE TABLE schedule.history (
    event_id        uuid        NOT NULL,
    finished_at     timestamptz NOT NULL,
    occasion_id     uuid        NOT NULL,
    occasion_type   text        NOT NULL,
    user_id         uuid        NOT NULL,
    status          text        NOT NULL CHECK (status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED')),
    priority        smallint    NOT NULL,
    nominal_date    text        NOT NULL,
    local_date      date        NOT NULL,
    send_at_local   time        NOT NULL,
    timezone        text        NOT NULL,
    due_at          timestamptz NOT NULL,
    emitted_at      timestamptz,
    failure_reason  text,
    PRIMARY KEY (event_id, finished_at)
) PARTITION BY RANGE (finished_at);
CREATE TABLE schedule.history_default PARTITION OF schedule.history DEFAULT;
CREATE INDEX history_by_user ON schedule.history (user_id, finished_at);

GRANT SELECT, INSERT, UPDATE ON schedule.users TO carillon_scheduler;
GRANT SELECT, INSERT, UPDATE, DELETE ON schedule.occurrences TO carillon_scheduler;
GRANT SELECT, INSERT, UPDATE ON schedule.history TO carillon_scheduler;
