VACUUM (ANALYZE) schedule.occurrences;
