TRUNCATE users.users, outbox.messages CASCADE;
