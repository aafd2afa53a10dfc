-- $1 a release of the tz database, $2 the occasion that the page before ended with, $3 how many.
SELECT occasion_id
FROM schedule.occurrences
WHERE status = 'PENDING' AND tz_database IS DISTINCT FROM $1 AND occasion_id > $2
ORDER BY occasion_id
LIMIT $3;
