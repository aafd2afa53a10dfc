-- An open one stays until somebody has looked at it.
DELETE FROM delivery.dead_letters
WHERE status IN ('redriven', 'erased') AND received_at < now() - $1::interval;
