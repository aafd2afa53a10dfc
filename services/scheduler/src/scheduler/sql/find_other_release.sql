-- $1 a release of the tz database. Another one under which a row was planned, if any; without an index, as it is
-- asked once a start.
SELECT coalesce(tz_database, 'unknown') AS release
FROM schedule.occurrences
WHERE status = 'PENDING' AND tz_database IS DISTINCT FROM $1
LIMIT 1;
