SELECT user_id
FROM delivery.deleted_users
WHERE user_id = ANY($1::uuid[]);
