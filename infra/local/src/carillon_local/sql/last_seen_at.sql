SELECT last_seen_at FROM schedule.pulse;
