SELECT partition FROM audit.extend_entries($1) AS partition;
