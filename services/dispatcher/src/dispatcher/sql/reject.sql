WITH refused AS (
    DELETE FROM outbox.messages AS message
    USING unnest($2::bigint[], $3::text[]) AS refusal (id, reason)
    WHERE message.id = refusal.id AND message.lease_token = $1
    RETURNING message.*, refusal.reason
)
INSERT INTO outbox.rejected (
    id, event_id, event_type, priority, group_id, attributes, body, appended_at, reason
)
SELECT id, event_id, event_type, priority, group_id, attributes, body, appended_at, reason
FROM refused;
