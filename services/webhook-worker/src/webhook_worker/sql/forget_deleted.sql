WITH old AS MATERIALIZED (
    SELECT user_id
    FROM delivery.deleted_users
    WHERE deleted_at <= now() - $1::interval AND erase_at IS NULL
    ORDER BY deleted_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
)
DELETE FROM delivery.deleted_users AS deleted
USING old
WHERE deleted.user_id = old.user_id;
