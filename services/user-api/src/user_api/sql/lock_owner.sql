-- Whoever changes occasions of this user waits here, and so does a change of the user: their zone stands still
-- meanwhile, and their occasions are counted right.
SELECT timezone, leap_day_policy, now() + $2::interval AS changed_at
FROM users.users
WHERE id = $1
FOR NO KEY UPDATE;
