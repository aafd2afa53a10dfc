-- $1 the business clock's offset, $2 how long a thing waits before it is backlog.
-- Each priority is a range of the index: its first entry, and its first that is no backlog, are a probe each.
SELECT
    clock.now,
    pulse.returned_at,
    pulse.last_seen_at,
    min(oldest.due_at) AS oldest_due_at,
    min(coming.due_at) AS next_due_at
FROM (SELECT now() + $1::interval AS now) AS clock
CROSS JOIN schedule.pulse
CROSS JOIN generate_series(0, 3) AS urgency (priority)
LEFT JOIN LATERAL (
    SELECT due_at
    FROM schedule.occurrences
    WHERE status = 'PENDING' AND parked IS NULL AND priority = urgency.priority
    ORDER BY due_at
    LIMIT 1
) AS oldest ON true
LEFT JOIN LATERAL (
    SELECT due_at
    FROM schedule.occurrences
    WHERE status = 'PENDING' AND parked IS NULL AND priority = urgency.priority AND due_at > clock.now - $2::interval
    ORDER BY due_at
    LIMIT 1
) AS coming ON true
GROUP BY clock.now, pulse.returned_at, pulse.last_seen_at;
