-- The first id is the oldest but for what commits meanwhile. Seconds; 0 without any.
SELECT coalesce(
    (SELECT extract(EPOCH FROM clock_timestamp() - appended_at) FROM outbox.messages ORDER BY id LIMIT 1), 0
)::double precision;
