-- What a whole pass must have left, whoever made it.
SELECT
    (SELECT count(*) FROM schedule.occurrences WHERE status = 'PROCESSING') AS claimed,
    (SELECT count(*) FROM schedule.occurrences WHERE status = 'PENDING' AND after_date IS NOT NULL) AS planned,
    (SELECT count(*) FROM outbox.messages) AS appended;
