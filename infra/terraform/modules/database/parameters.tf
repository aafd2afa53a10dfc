locals {
  parameters = {
    # Nobody without TLS, and none older than 1.2.
    "rds.force_ssl"            = { value = "1", when = "immediate" }
    "ssl_min_protocol_version" = { value = "TLSv1.2", when = "immediate" }
    "password_encryption"      = { value = "scram-sha-256", when = "immediate" }

    # Who changed what is defined, what was slow, and what waited.
    "log_statement"              = { value = "ddl", when = "immediate" }
    "log_min_duration_statement" = { value = "1000", when = "immediate" }
    "log_lock_waits"             = { value = "1", when = "immediate" }
    "log_connections"            = { value = "1", when = "immediate" }
    "shared_preload_libraries"   = { value = "pg_stat_statements", when = "pending-reboot" }

    # Above PgBouncer's pools, those of migrations, of rotation and of people; alarms count against it.
    "max_connections" = { value = tostring(var.max_connections), when = "pending-reboot" }

    # A forgotten transaction keeps vacuum from the outbox, which grows and slows within minutes.
    "idle_in_transaction_session_timeout" = { value = "60000", when = "immediate" }

    # What the API reads from a reader may be cut off by the primary's vacuum only after this long.
    "max_standby_streaming_delay" = { value = "30000", when = "immediate" }
    "hot_standby_feedback"        = { value = "1", when = "immediate" }
  }
}
