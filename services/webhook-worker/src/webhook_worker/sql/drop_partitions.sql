SELECT partition FROM delivery.drop_partitions($1) AS partition;
