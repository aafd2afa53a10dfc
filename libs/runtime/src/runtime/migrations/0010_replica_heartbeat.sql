-- The primary's clock, written every second: what a replica shows of it tells how far that replica is behind.
-- migrate:up
CREATE TABLE users.replica_heartbeat (
    one boolean     PRIMARY KEY DEFAULT true CHECK (one),
    at  timestamptz NOT NULL
) WITH (fillfactor = 10); -- room for many versions of the one row in its page
INSERT INTO users.replica_heartbeat (at) VALUES (clock_timestamp());
GRANT SELECT, UPDATE ON users.replica_heartbeat TO carillon_user_api;
