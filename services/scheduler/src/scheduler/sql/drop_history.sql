SELECT partition FROM schedule.drop_history($1) AS partition;
