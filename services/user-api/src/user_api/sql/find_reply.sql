SELECT request, status, headers, body, encrypted
FROM users.idempotency_keys
WHERE id = $1 AND stored_at > now() - $2::interval;
