-- Deleted users: their deliveries end, their words go, and what comes due for them later is not delivered.
-- migrate:up

-- A tombstone each, kept for longer than a queue and its dead letters can hold a due event back.
CREATE TABLE delivery.deleted_users (
    user_id    uuid        PRIMARY KEY,
    deleted_at timestamptz NOT NULL DEFAULT now(),
    -- When what is kept of them is erased (next); null once nothing more can come.
    erase_at   timestamptz DEFAULT now()
);
CREATE INDEX deleted_users_by_time ON delivery.deleted_users (deleted_at);
CREATE INDEX deleted_users_to_erase ON delivery.deleted_users (erase_at) WHERE erase_at IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery.deleted_users TO carillon_webhook_worker;

CREATE INDEX IF NOT EXISTS events_by_user ON delivery.events (user_id);
