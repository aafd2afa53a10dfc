DELETE FROM schedule.pauses WHERE id = $1;
