UPDATE users.users SET first_date = $2 WHERE id = $1;
