-- What waits for its endpoint, to have room or to be enabled, has been due for some time: it is asked about from now on.
SELECT
    event.event_id,
    event.user_id,
    event.settled_at,
    event.outcome_type,
    event.outcome,
    now() + $2::interval AS now,
    greatest(
        (
            SELECT max(delivery.next_attempt_at)
            FROM delivery.deliveries AS delivery
            WHERE delivery.event_id = event.event_id AND delivery.status = 'pending'
        ),
        now()
    ) AS next_attempt_at
FROM delivery.events AS event
WHERE event.event_id = ANY($1::uuid[]);
