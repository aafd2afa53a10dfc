-- $1 a release of the tz database, $2 occasions.
SELECT *
FROM schedule.occurrences
WHERE status = 'PENDING' AND tz_database IS DISTINCT FROM $1 AND occasion_id = ANY($2::uuid[])
ORDER BY occasion_id;
