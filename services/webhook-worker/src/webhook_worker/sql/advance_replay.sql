-- $2 how many were opened, $3 the last that was looked at or null, $4 whether it was the last of all, $5 the wait.
UPDATE delivery.replays
SET
    reopened = reopened + $2,
    position = coalesce($3, position),
    finished_at = CASE WHEN $4 THEN now() END,
    next_at = now() + $5::interval
WHERE id = $1;
