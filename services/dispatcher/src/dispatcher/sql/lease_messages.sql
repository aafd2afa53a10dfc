-- $1 token, $2 places each priority is sure of (by rank), $3 batch, $4 lease.
-- By priority with reserved shares, then age; never by a high-water id, because ids commit out of order.
WITH candidate AS (
    SELECT waiting.id
    FROM unnest($2::integer[]) WITH ORDINALITY AS lane (share, place)
    CROSS JOIN LATERAL (
        SELECT message.id, message.available_at, row_number() OVER (ORDER BY message.available_at) AS position
        FROM outbox.messages AS message
        WHERE message.priority = lane.place - 1 AND message.available_at <= now()
        ORDER BY message.available_at
        LIMIT $3
    ) AS waiting
    ORDER BY waiting.position > lane.share, lane.place, waiting.available_at
    LIMIT $3
),
free AS MATERIALIZED (
    SELECT message.id
    FROM outbox.messages AS message
    -- Checked again on the locked row: another dispatcher may have leased it in between.
    WHERE message.id IN (SELECT candidate.id FROM candidate) AND message.available_at <= now()
    FOR UPDATE SKIP LOCKED
)
UPDATE outbox.messages AS message
SET lease_token = $1, available_at = now() + $4::interval, tries = message.tries + 1
FROM free
WHERE message.id = free.id
RETURNING message.id, message.event_id, message.event_type, message.priority, message.group_id,
    message.attributes, message.body;
