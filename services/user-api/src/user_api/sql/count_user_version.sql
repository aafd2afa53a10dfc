UPDATE users.users
SET version = version + 1, updated_at = greatest(updated_at, $2)
WHERE id = $1;
