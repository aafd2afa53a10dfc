DELETE FROM delivery.endpoint_tests
WHERE requested_at < now() - $1::interval;
