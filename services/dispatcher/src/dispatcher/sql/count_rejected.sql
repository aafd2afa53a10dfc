SELECT count(*) FROM (SELECT FROM outbox.rejected LIMIT $1) AS counted;
