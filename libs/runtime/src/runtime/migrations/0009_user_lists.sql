-- Lists of users, by zone and by birthday; and the key by which an import knows a user again.
-- The day is indexed as an expression: a generated column would rewrite the table while nobody can read it. The
-- indexes come first, under a lock that lets reads through; the one that does not is held for the last lines only.
-- migrate:up
CREATE INDEX users_by_timezone ON users.users (timezone, id);
CREATE INDEX users_by_birth_day ON users.users (
    ((extract(MONTH FROM date_of_birth) * 100 + extract(DAY FROM date_of_birth))::smallint), id
);
CREATE INDEX users_by_timezone_and_birth_day ON users.users (
    timezone, ((extract(MONTH FROM date_of_birth) * 100 + extract(DAY FROM date_of_birth))::smallint), id
);

-- The client's own, given in the import line; never answered, free again when the user is deleted.
ALTER TABLE users.users ADD COLUMN import_key text;
CREATE UNIQUE INDEX users_by_import_key ON users.users (import_key) WHERE import_key IS NOT NULL;
