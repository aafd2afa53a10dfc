-- In order of id: two workers that settle deliveries of the same events wait for each other instead of deadlocking.
SELECT event_id, user_id, open, received_at, settled_at, traceparent, now() + $2::interval AS now
FROM delivery.events
WHERE event_id = ANY($1::uuid[])
ORDER BY event_id
FOR UPDATE;
