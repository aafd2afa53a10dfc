DELETE FROM schedule.pauses WHERE user_id = ANY($1::uuid[]) OR occasion_id = ANY($2::uuid[]);
