locals {
  instances = { for place, identifier in var.database_instances : place == 0 ? "database" : "reader-${place}" => identifier }

  database_alarms = merge(
    merge([
      for name, identifier in local.instances : {
        "${name}-down" = {
          severity   = "page"
          about      = "${identifier} tells nothing of itself for 3 minutes: it is down"
          namespace  = "AWS/RDS"
          metric     = "CPUUtilization"
          dimensions = { DBInstanceIdentifier = identifier }
          stat       = "SampleCount"
          threshold  = 1
          below      = true
          periods    = 3
          silence    = true
        }
        "${name}-cpu" = {
          severity   = "warn"
          about      = "CPU of ${identifier} is over 80 % for 15 minutes"
          namespace  = "AWS/RDS"
          metric     = "CPUUtilization"
          dimensions = { DBInstanceIdentifier = identifier }
          stat       = "Average"
          threshold  = 80
          periods    = 15
        }
        "${name}-connections" = {
          severity   = "warn"
          about      = "${identifier} has more than 80 % of the connections that it takes"
          namespace  = "AWS/RDS"
          metric     = "DatabaseConnections"
          dimensions = { DBInstanceIdentifier = identifier }
          stat       = "Maximum"
          threshold  = 0.8 * var.max_connections
          periods    = 1
        }
        "${name}-storage" = {
          severity   = "warn"
          about      = "${identifier} has less than 2 GB of storage left"
          namespace  = "AWS/RDS"
          metric     = "FreeStorageSpace"
          dimensions = { DBInstanceIdentifier = identifier }
          stat       = "Minimum"
          threshold  = 2000000000
          below      = true
          periods    = 1
        }
      }
    ]...),
    {
      for name, identifier in local.instances : "${name}-lag" => {
        severity   = "warn"
        about      = "${identifier} is more than 1 s behind the primary for 3 minutes"
        namespace  = "AWS/RDS"
        metric     = "ReplicaLag"
        dimensions = { DBInstanceIdentifier = identifier }
        stat       = "Maximum"
        threshold  = 1
        periods    = 3
      } if name != "database"
    },
    {
      for service in var.services : "${service}-database-errors" => {
        severity   = "page"
        about      = "${service} fails to work with the database more than 50 times a minute"
        namespace  = local.metrics
        metric     = "ConnectErrors"
        dimensions = { Service = service }
        stat       = "Sum"
        threshold  = 50
        periods    = 1
      }
    },
  )
}
