SELECT user_id
FROM delivery.deleted_users
WHERE erase_at <= now()
ORDER BY erase_at
LIMIT $1
FOR UPDATE SKIP LOCKED;
