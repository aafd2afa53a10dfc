SELECT id FROM users.users ORDER BY random();
