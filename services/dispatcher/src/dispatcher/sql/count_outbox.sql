-- $1 the most of each priority.
SELECT lane.priority, waiting.messages
FROM generate_series(0, 3) AS lane (priority)
CROSS JOIN LATERAL (
    SELECT count(*) AS messages
    FROM (SELECT FROM outbox.messages AS message WHERE message.priority = lane.priority LIMIT $1) AS counted
) AS waiting;
