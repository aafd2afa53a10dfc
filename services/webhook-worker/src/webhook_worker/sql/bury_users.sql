INSERT INTO delivery.deleted_users (user_id)
SELECT deleted.user_id
FROM unnest($1::uuid[]) AS deleted (user_id)
ORDER BY deleted.user_id
ON CONFLICT (user_id) DO NOTHING;
