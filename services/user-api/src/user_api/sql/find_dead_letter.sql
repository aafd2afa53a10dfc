SELECT
    id, queue, source, message_id, event_type, reason, received_at, status, redrive_error, redriven_at, attributes, body
FROM delivery.api_dead_letters
WHERE id = $1;
