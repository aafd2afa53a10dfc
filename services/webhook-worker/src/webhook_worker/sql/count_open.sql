SELECT count(*) FROM (SELECT FROM delivery.deliveries WHERE status = 'pending' LIMIT $1) AS counted;
