DELETE FROM schedule.occasions WHERE user_id = ANY($1::uuid[]);
