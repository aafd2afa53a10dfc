UPDATE users.occasions AS occasion
SET first_date = decided.first_date, version = decided.version, updated_at = decided.updated_at
FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::timestamptz[]) AS decided (id, first_date, version, updated_at)
WHERE occasion.id = decided.id;
