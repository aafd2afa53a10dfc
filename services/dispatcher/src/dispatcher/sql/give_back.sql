-- Tried again after 0.1 s, doubled each time, at most 5 s.
UPDATE outbox.messages
SET lease_token = NULL, available_at = now() + least(0.1 * 2 ^ least(tries - 1, 10), 5) * interval '1 second'
WHERE id = ANY($2::bigint[]) AND lease_token = $1;
