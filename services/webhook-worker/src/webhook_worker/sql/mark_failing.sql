INSERT INTO delivery.failing_endpoints (endpoint_id)
SELECT failed.endpoint_id
FROM unnest($1::uuid[]) AS failed (endpoint_id)
WHERE NOT EXISTS (SELECT FROM delivery.failing_endpoints AS known WHERE known.endpoint_id = failed.endpoint_id)
ORDER BY failed.endpoint_id
ON CONFLICT (endpoint_id) DO NOTHING;
