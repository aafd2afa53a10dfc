TRUNCATE users.users, outbox.messages;
