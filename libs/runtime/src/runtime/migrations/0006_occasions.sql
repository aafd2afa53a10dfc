-- What users have that comes round, but for their birthday, which is in users.users.
-- migrate:up
CREATE TABLE users.occasions (
    id              uuid        PRIMARY KEY,
    user_id         uuid        NOT NULL REFERENCES users.users ON DELETE CASCADE,
    version         integer     NOT NULL DEFAULT 1,
    type            text        NOT NULL CHECK (type IN ('ANNIVERSARY', 'REMINDER', 'NOTIFICATION')),
    name            text        CHECK (name <> ''),
    message         text        CHECK (message <> ''),
    date            date,
    send_at_local   time,
    local_date_time timestamp,
    rrule           text,
    -- The last local date of a rule that ends, found once, when the rule was set.
    last_date       date,
    at              timestamptz,
    -- None is its type's, which the topology has.
    priority        smallint    CHECK (priority BETWEEN 0 AND 3),
    -- The first nominal date that may ring under the rule of now, decided when the rule was set.
    first_date      text        NOT NULL,
    -- After this instant nothing rings any more. What has ended stays so when its user moves to another zone, which
    -- is why it is kept and not computed: there, the same local time may be still to come.
    ends_at         timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    CONSTRAINT an_anniversary_has_a_date CHECK (type <> 'ANNIVERSARY' OR (
        num_nulls(name, date, send_at_local) = 0 AND num_nonnulls(message, local_date_time, rrule, last_date, at) = 0
    )),
    CONSTRAINT a_reminder_has_a_local_time CHECK (type <> 'REMINDER' OR (
        num_nulls(message, local_date_time) = 0 AND num_nonnulls(date, send_at_local, at) = 0
        AND (rrule IS NOT NULL OR last_date IS NULL)
    )),
    CONSTRAINT a_notification_has_an_instant CHECK (type <> 'NOTIFICATION' OR (
        num_nulls(message, at) = 0 AND num_nonnulls(date, send_at_local, local_date_time, rrule, last_date) = 0
    ))
);
CREATE INDEX occasions_by_user ON users.occasions (user_id, id);
-- What is still to ring: thousands that are over cost a preview nothing.
CREATE INDEX occasions_by_user_and_end ON users.occasions (user_id, ends_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON users.occasions TO carillon_user_api;
