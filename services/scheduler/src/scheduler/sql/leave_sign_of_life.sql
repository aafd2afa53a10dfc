-- $1 now by the business clock, $2 the silence after which it is a return. A clock set back leaves the later sign:
-- by the earlier one, of two schedulers whose clocks differ the fast one would return every second.
UPDATE schedule.pulse
SET
    last_seen_at = greatest(last_seen_at, $1),
    returned_at = CASE WHEN last_seen_at < $1 - $2::interval THEN $1 ELSE returned_at END
RETURNING returned_at;
