-- What planning as many users must have left.
SELECT
    (SELECT count(*) FROM schedule.users) AS users,
    (SELECT count(*) FROM schedule.occurrences WHERE status = 'PENDING') AS planned;
