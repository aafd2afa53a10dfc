-- The PENDING rows that planning left, as COPY takes them back.
SELECT * FROM schedule.occurrences;
