SELECT schedule.pause_event_type($1, $2, $3, $4);
