-- What tells of the users of an import, as COPY takes it back.
SELECT event_id, event_type, priority, group_id, attributes, body
FROM outbox.messages
ORDER BY id;
