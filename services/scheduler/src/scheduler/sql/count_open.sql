-- $1 the most of each. By indexes that hold nothing else.
SELECT
    (
        SELECT count(*)
        FROM (SELECT FROM schedule.occurrences WHERE status = 'PROCESSING' LIMIT $1) AS processing
    ) AS processing,
    (
        SELECT count(*)
        FROM (SELECT FROM schedule.occurrences WHERE status = 'PROCESSING' AND check_at <= now() LIMIT $1) AS stuck
    ) AS stuck,
    (
        SELECT count(*)
        FROM (SELECT FROM schedule.occurrences WHERE status = 'PENDING' AND parked = 'paused' LIMIT $1) AS paused
    ) AS paused,
    (
        SELECT count(*)
        FROM (SELECT FROM schedule.occurrences WHERE status = 'PENDING' AND parked <> 'paused' LIMIT $1) AS faulty
    ) AS faulty;
