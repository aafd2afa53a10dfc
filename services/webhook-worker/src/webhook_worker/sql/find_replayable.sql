SELECT id
FROM delivery.deliveries
WHERE endpoint_id = $1 AND id > $2 AND created_at >= $3 AND created_at < $4 AND status = ANY($5::text[])
ORDER BY id
LIMIT $6;
