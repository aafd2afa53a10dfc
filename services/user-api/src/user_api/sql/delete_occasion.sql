DELETE FROM users.occasions WHERE id = $1;
