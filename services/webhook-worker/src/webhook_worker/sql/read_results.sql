-- $2, $3 when the first and the last of these events were received, and their deliveries made in the same transaction.
SELECT event_id, endpoint_id, status, attempts, reason
FROM delivery.deliveries
WHERE event_id = ANY($1::uuid[]) AND created_at BETWEEN $2 AND $3
ORDER BY event_id, endpoint_id;
