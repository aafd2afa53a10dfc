-- A user, once for each of their occasions that is still to ring or ended no longer ago than $3, and once with none.
WITH clock AS (SELECT now() + $2::interval AS business_now)
SELECT
    clock.business_now, owner.date_of_birth, owner.timezone, owner.leap_day_policy,
    owner.send_at_local AS birthday_at, owner.first_date AS birthday_first_date, occasion.*
FROM clock
CROSS JOIN users.users AS owner
LEFT JOIN users.occasions AS occasion
    ON occasion.user_id = owner.id AND occasion.ends_at > clock.business_now - $3::interval
WHERE owner.id = $1;
