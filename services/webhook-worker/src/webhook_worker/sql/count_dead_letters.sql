SELECT queue, count(*) AS dead_letters FROM delivery.dead_letters WHERE status = 'open' GROUP BY queue;
