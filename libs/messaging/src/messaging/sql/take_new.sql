INSERT INTO inbox.messages (consumer, message_id)
SELECT $1, message_id FROM unnest($2::uuid[]) AS message_id
ON CONFLICT DO NOTHING
RETURNING message_id;
