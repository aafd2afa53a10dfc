-- What a whole pass must have left.
SELECT
    (SELECT count(*) FROM delivery.attempts WHERE status = 204) AS attempts,
    (SELECT count(*) FROM delivery.deliveries WHERE status = 'delivered') AS delivered,
    (SELECT count(*) FROM delivery.events WHERE outcome_type = 'OccurrenceCompleted') AS completed,
    (SELECT count(*) FROM outbox.messages WHERE event_type = 'OccurrenceCompleted') AS appended;
