-- When the worker began to accept each of the events that fell due from $1 on, by the id of their webhooks.
SELECT event.event_id::text AS event_id, extract(EPOCH FROM event.received_at)::double precision AS received_at
FROM delivery.events AS event
WHERE event.received_at >= $1;
