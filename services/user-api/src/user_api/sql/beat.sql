-- clock_timestamp(), not now(): it must not be older than a change that committed before. Of several processes
-- that beat at once, one a half second is enough.
WITH beaten AS (
    UPDATE users.replica_heartbeat SET at = clock_timestamp() WHERE at < clock_timestamp() - interval '0.5 s'
)
SELECT clock_timestamp();
