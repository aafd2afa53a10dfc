UPDATE users.occasions AS occasion
SET ends_at = moved.ends_at
FROM unnest($1::uuid[], $2::timestamptz[]) AS moved (id, ends_at)
WHERE occasion.id = moved.id;
