SELECT schedule.resume_occasion($1, $2);
