# No data is an alarm: what these measure is there for as long as its service lives.

locals {
  heartbeats = {
    dispatcher     = { metric = "carillon_outbox_oldest_age_seconds", threshold = 60, about = "a message waits in the outbox for more than 60 s" }
    scheduler      = { metric = "carillon_overdue_seconds", threshold = 60, about = "an occurrence is overdue by more than 60 s" }
    webhook-worker = { metric = "carillon_deliveries_open", threshold = 9999, about = "10,000 deliveries or more are open" }
  }
  # A Lambda has no collector beside it; its silence is that it is not called.
  on_ecs = var.compute == "ecs" ? tolist(var.services) : ["user-api", "dispatcher"]

  silence_alarms = merge(
    {
      for service, heartbeat in local.heartbeats : "${service}-silent" => {
        severity   = "page"
        about      = "Nothing is heard of ${service} for 5 minutes, or ${heartbeat.about}"
        namespace  = local.metrics
        metric     = heartbeat.metric
        dimensions = {}
        stat       = "Maximum"
        threshold  = heartbeat.threshold
        periods    = 5
        silence    = true
      } if contains(local.on_ecs, service)
    },
    {
      for service in concat(local.on_ecs, ["pgbouncer"]) : "${service}-not-running" => {
        severity   = "page"
        about      = "No task of ${service} runs"
        namespace  = "ECS/ContainerInsights"
        metric     = "RunningTaskCount"
        dimensions = { ClusterName = local.name, ServiceName = "${local.name}-${service}" }
        stat       = "Minimum"
        threshold  = 1
        below      = true
        periods    = 3
        silence    = true
      }
    },
    {
      # A consumer asks every 20 s, whether there is something or not.
      for name, queue in var.queues : "${name}-not-consumed" => {
        severity   = "page"
        about      = "Nobody receives from ${queue.name}"
        expression = "FILL(empty, 0) + FILL(received, 0)"
        over = {
          empty    = { namespace = "AWS/SQS", metric = "NumberOfEmptyReceives", dimensions = { QueueName = queue.name } }
          received = { namespace = "AWS/SQS", metric = "NumberOfMessagesReceived", dimensions = { QueueName = queue.name } }
        }
        period    = 300
        threshold = 1
        below     = true
        periods   = 1
        silence   = true
      }
    },
    !var.expects_traffic ? {} : {
      nothing-emitted = {
        severity   = "page"
        about      = "Not one occurrence was emitted in an hour"
        namespace  = local.metrics
        metric     = "Emitted"
        dimensions = {}
        stat       = "Sum"
        period     = 3600
        threshold  = 1
        below      = true
        periods    = 1
        silence    = true
      }
    },
  )
}
