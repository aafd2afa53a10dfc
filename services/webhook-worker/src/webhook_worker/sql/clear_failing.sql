DELETE FROM delivery.failing_endpoints WHERE endpoint_id = ANY($1::uuid[]);
