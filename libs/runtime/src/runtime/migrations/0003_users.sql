-- What the user API owns.
-- migrate:up
CREATE TABLE users.users (
    id              uuid        PRIMARY KEY,
    version         integer     NOT NULL DEFAULT 1,
    first_name      text        NOT NULL CHECK (first_name <> ''),
    last_name       text        NOT NULL CHECK (last_name <> ''),
    date_of_birth   date        NOT NULL,
    timezone        text        NOT NULL,
    email           text,
    send_at_local   time        NOT NULL,
    leap_day_policy text        NOT NULL CHECK (leap_day_policy IN ('feb_28', 'mar_1', 'skip')),
    -- The first nominal date that may ring under the birthday rule of now, decided when the rule was set.
    first_date      text        NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);
CREATE UNIQUE INDEX users_by_email ON users.users (lower(email)) WHERE email IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON users.users TO carillon_user_api;
