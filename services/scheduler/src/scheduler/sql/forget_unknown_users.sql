-- $1 batch. The place of a user never heard of is held for their occasions, and is made with the first of them: none
-- left means that all of those were forgotten.
WITH forgotten AS (
    DELETE FROM schedule.users
    WHERE id IN (
        SELECT id FROM schedule.users AS unknown
        WHERE version = 0
            AND NOT EXISTS (SELECT FROM schedule.occasions WHERE occasions.user_id = unknown.id)
        LIMIT $1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING id
)
SELECT count(*) FROM forgotten;
