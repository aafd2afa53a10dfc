-- One that is there has expired: find_reply saw none under the same lock.
INSERT INTO users.idempotency_keys (id, request, status, headers, body, encrypted, user_id)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (id) DO UPDATE SET
    request = excluded.request, status = excluded.status, headers = excluded.headers, body = excluded.body,
    encrypted = excluded.encrypted, user_id = excluded.user_id, stored_at = excluded.stored_at;
