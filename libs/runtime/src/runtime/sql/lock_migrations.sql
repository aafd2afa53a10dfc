-- Held by the session until it closes: the number is "carillon" by agreement, nothing else uses it.
SELECT pg_advisory_lock(2274554610);
