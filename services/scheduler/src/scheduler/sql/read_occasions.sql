-- $1 occasions, $2 users, of whom every occasion is meant. One without its user waits for them.
SELECT
    occasion.id AS occasion_id, occasion.user_id, occasion.version, occasion.occurred_at, occasion.type,
    occasion.priority, occasion.first_date, occasion.name, occasion.message, occasion.date, occasion.send_at_local,
    occasion.local_date_time, occasion.rrule, occasion.last_date, occasion.at, occasion.leap_day_policy,
    occasion.after_date, occasion.traceparent, owner.version AS user_version, owner.occurred_at AS user_occurred_at, owner.first_name,
    owner.last_name, owner.timezone, owner.leap_day_policy AS user_leap_day_policy
FROM schedule.occasions AS occasion
INNER JOIN schedule.users AS owner ON owner.id = occasion.user_id
WHERE (occasion.id = ANY($1::uuid[]) OR occasion.user_id = ANY($2::uuid[]))
    AND NOT occasion.removed AND owner.version > 0 AND owner.deleted_at IS NULL;
