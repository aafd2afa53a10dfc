-- The event's own time is in the key: told again, it is the same entry.
INSERT INTO audit.entries (id, at, what, who, about, about_id, user_id, version, trace_id)
SELECT *
FROM unnest(
    $1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::integer[], $9::text[]
)
ON CONFLICT DO NOTHING;
