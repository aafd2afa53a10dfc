-- $2 why it was refused, or null where it was sent. Who outlived the lease ends it all the same: it was sent.
UPDATE delivery.dead_letters AS dead
SET
    status = CASE WHEN ended.error IS NULL THEN 'redriven' ELSE 'open' END,
    redriven_at = CASE WHEN ended.error IS NULL THEN now() END,
    redrive_error = ended.error,
    lease_until = NULL
FROM unnest($1::uuid[], $2::text[]) AS ended (id, error)
WHERE dead.id = ended.id AND dead.status = 'redriving';
