-- How many of the occurrences due from $1 on are over and well, and when the last of them was.
SELECT
    count(*) AS settled,
    coalesce(extract(EPOCH FROM max(finished_at)), 0)::double precision AS last_at
FROM schedule.history
WHERE due_at >= $1 AND status = 'COMPLETED';
