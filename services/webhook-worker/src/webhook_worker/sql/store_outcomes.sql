UPDATE delivery.events AS event
SET settled_at = ended.at, outcome_type = ended.outcome_type, outcome = ended.outcome
FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[]) AS ended (event_id, at, outcome_type, outcome)
WHERE event.event_id = ended.event_id;
