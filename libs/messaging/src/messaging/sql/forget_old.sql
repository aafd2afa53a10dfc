DELETE FROM inbox.messages WHERE handled_at < now() - $1::interval;
