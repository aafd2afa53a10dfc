-- No row: no such user. A row without an id: no such occasion of theirs.
SELECT occasion.*
FROM users.users AS owner
LEFT JOIN users.occasions AS occasion ON occasion.user_id = owner.id AND occasion.id = $2
WHERE owner.id = $1;
