SELECT at FROM users.replica_heartbeat;
