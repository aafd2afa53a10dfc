SELECT
    now() + $1::interval AS now,
    (SELECT min(due_at) FROM schedule.occurrences WHERE status = 'PENDING') AS next_due_at;
