-- What answers would do within the day: the rows that were claimed go.
DELETE FROM schedule.occurrences WHERE status = 'PROCESSING';
