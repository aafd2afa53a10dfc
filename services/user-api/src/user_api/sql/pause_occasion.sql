SELECT schedule.pause_occasion($1, $2, $3, $4, $5);
