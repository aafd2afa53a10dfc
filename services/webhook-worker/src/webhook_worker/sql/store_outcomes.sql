-- $5 to $10 the same outcomes as messages, which go with them or not at all.
WITH appended AS MATERIALIZED (
    SELECT outbox.append($5, $6, $7, $8, $9, $10)
)
UPDATE delivery.events AS event
SET settled_at = ended.at, outcome_type = ended.outcome_type, outcome = ended.outcome
FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[]) AS ended (event_id, at, outcome_type, outcome)
CROSS JOIN appended
WHERE event.event_id = ended.event_id;
