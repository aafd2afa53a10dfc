-- Held until the transaction ends, however it ends: a process that dies leaves no key "in progress".
SELECT pg_try_advisory_xact_lock($1);
