-- The nominal date that each of a user's occasions rang on last: what is planned knows it, however long ago, and what
-- is planned no more, as it has ended, rang since $2.
SELECT occasion_id, max(CASE status WHEN 'PENDING' THEN after_date ELSE nominal_date END) AS nominal_date
FROM schedule.api_occurrences
WHERE user_id = $1 AND (status = 'PENDING' OR (status <> 'CANCELLED' AND due_at > $2))
GROUP BY occasion_id;
