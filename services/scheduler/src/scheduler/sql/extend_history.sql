SELECT partition FROM schedule.extend_history($1) AS partition;
