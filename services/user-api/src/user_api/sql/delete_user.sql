DELETE FROM users.users WHERE id = $1;
