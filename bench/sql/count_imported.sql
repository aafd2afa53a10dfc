-- What a whole import must have left, whoever made it.
SELECT (SELECT count(*) FROM users.users) AS users, (SELECT count(*) FROM outbox.messages) AS messages;
