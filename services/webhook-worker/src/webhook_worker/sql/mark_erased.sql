-- $2 how long after the deletion it is done once more, for what was under way just then.
UPDATE delivery.deleted_users
SET erase_at = CASE WHEN now() < deleted_at + $2::interval THEN deleted_at + $2::interval END
WHERE user_id = ANY($1::uuid[]);
