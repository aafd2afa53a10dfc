SELECT partition FROM delivery.extend_partitions($1) AS partition;
