SELECT event_id, endpoint_id, status, attempts, reason
FROM delivery.deliveries
WHERE event_id = ANY($1::uuid[])
ORDER BY event_id, endpoint_id;
