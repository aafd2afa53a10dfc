SELECT schedule.resume_event_type($1, $2);
