SELECT
    now() + $1::interval AS now,
    (
        SELECT min(first_of.due_at)
        FROM generate_series(0, 3) AS urgency (priority)
        CROSS JOIN LATERAL (
            SELECT due_at
            FROM schedule.occurrences
            WHERE status = 'PENDING' AND parked IS NULL AND priority = urgency.priority
            ORDER BY due_at
            LIMIT 1
        ) AS first_of
    ) AS next_due_at;
