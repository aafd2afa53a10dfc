SELECT
    event.event_id,
    event.user_id,
    event.settled_at,
    event.outcome_type,
    event.outcome,
    now() + $2::interval AS now,
    coalesce(
        (
            SELECT max(delivery.next_attempt_at)
            FROM delivery.deliveries AS delivery
            WHERE delivery.event_id = event.event_id AND delivery.status = 'pending'
        ),
        now()
    ) AS next_attempt_at
FROM delivery.events AS event
WHERE event.event_id = ANY($1::uuid[]);
