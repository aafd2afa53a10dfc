-- How many bytes the server has written ahead so far.
SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint;
