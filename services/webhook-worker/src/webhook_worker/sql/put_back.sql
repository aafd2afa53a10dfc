UPDATE delivery.deliveries AS delivery
SET lease_token = NULL, next_attempt_at = now()
FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[]) AS refused (id, created_at, token)
WHERE
    delivery.id = refused.id
    AND delivery.created_at = refused.created_at
    AND delivery.status = 'pending'
    AND delivery.lease_token = refused.token;
