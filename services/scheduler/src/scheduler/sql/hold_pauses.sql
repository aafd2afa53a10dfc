-- The row is for show: it is the table's lock for rows, ROW SHARE, that makes pauses and resumptions wait.
SELECT true
FROM schedule.pauses
WHERE resumed_at IS NULL
LIMIT 1
FOR KEY SHARE;
