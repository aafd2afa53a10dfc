ANALYZE schedule.occurrences;
