# Three pages: is it running, what does it do, what does it cost. Traces are in X-Ray.

locals {
  dashboards = {
    operations = [
      { title = "Messages that wait", stat = "Maximum", metrics = [for queue in var.queues : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue.name]] },
      { title = "Age of the oldest message (s)", stat = "Maximum", metrics = [for queue in var.queues : ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queue.name]] },
      { title = "Dead letters in queues", stat = "Maximum", metrics = [for queue in local.dead_letter_queues : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue]] },
      { title = "Lag from due to emitted (s)", stat = "p95", metrics = [[local.metrics, "DueLagSeconds"]] },
      { title = "Outbox: oldest message (s)", stat = "Maximum", metrics = [[local.metrics, "carillon_outbox_oldest_age_seconds"]] },
      { title = "Errors by service", stat = "Sum", metrics = [for service in var.services : [local.metrics, "Errors", "Service", service]] },
      { title = "API: requests and errors", stat = "Sum", metrics = [for metric in ["Count", "4xx", "5xx"] : ["AWS/ApiGateway", metric, "ApiId", var.api_id]] },
      { title = "API: latency (ms)", stat = "p99", metrics = [["AWS/ApiGateway", "Latency", "ApiId", var.api_id]] },
      { title = "Tasks", stat = "Average", metrics = [for service in local.on_ecs : ["ECS/ContainerInsights", "RunningTaskCount", "ClusterName", local.name, "ServiceName", "${local.name}-${service}"]] },
      { title = "Database: CPU (%)", stat = "Average", metrics = [for identifier in var.database_instances : ["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", identifier]] },
      { title = "Database: connections", stat = "Maximum", metrics = [for identifier in var.database_instances : ["AWS/RDS", "DatabaseConnections", "DBInstanceIdentifier", identifier]] },
      { title = "Database: replica lag (s)", stat = "Maximum", metrics = [for identifier in var.database_instances : ["AWS/RDS", "ReplicaLag", "DBInstanceIdentifier", identifier]] },
    ]
    business = [
      { title = "Emitted, and expired", stat = "Sum", metrics = [for metric in ["Emitted", "Expired"] : [local.metrics, metric]] },
      { title = "Attempts, delivered, given up", stat = "Sum", metrics = [for metric in ["Attempts", "Delivered", "GivenUp"] : [local.metrics, metric]] },
      { title = "From due to delivered: p50 (s)", stat = "p50", metrics = [[local.metrics, "DeliveredAfterSeconds"]] },
      { title = "From due to delivered: p95 (s)", stat = "p95", metrics = [[local.metrics, "DeliveredAfterSeconds"]] },
      { title = "From due to delivered: p99 (s)", stat = "p99", metrics = [[local.metrics, "DeliveredAfterSeconds"]] },
      { title = "Webhook latency: p95 (ms)", stat = "p95", metrics = [[local.metrics, "AttemptLatencyMs"]] },
      { title = "Breakers that opened", stat = "Sum", metrics = [[local.metrics, "BreakerTrips"]] },
      { title = "Open dead letters", stat = "Maximum", metrics = [[local.metrics, "carillon_dead_letters_open"]] },
    ]
    cost = [
      { title = "Charges this month (USD)", stat = "Maximum", region = "us-east-1", metrics = [
        for service in ["AmazonRDS", "AmazonECS", "AWSLambda", "AmazonSNS", "AWSQueueService", "AmazonApiGateway", "AmazonCloudWatch", "AmazonVPC"] :
        ["AWS/Billing", "EstimatedCharges", "ServiceName", service, "Currency", "USD"]
      ] },
      { title = "Messages sent to queues", stat = "Sum", metrics = [for queue in var.queues : ["AWS/SQS", "NumberOfMessagesSent", "QueueName", queue.name]] },
      { title = "Receives that found nothing", stat = "Sum", metrics = [for queue in var.queues : ["AWS/SQS", "NumberOfEmptyReceives", "QueueName", queue.name]] },
      { title = "API requests", stat = "Sum", metrics = [["AWS/ApiGateway", "Count", "ApiId", var.api_id]] },
      { title = "CPU that tasks reserve", stat = "Sum", metrics = [for service in local.on_ecs : ["ECS/ContainerInsights", "CpuReserved", "ClusterName", local.name, "ServiceName", "${local.name}-${service}"]] },
      { title = "Log bytes", stat = "Sum", metrics = [for group in aws_cloudwatch_log_group.service : ["AWS/Logs", "IncomingBytes", "LogGroupName", group.name]] },
    ]
  }
}

resource "aws_cloudwatch_dashboard" "this" {
  for_each       = local.dashboards
  dashboard_name = "${local.name}-${each.key}"
  dashboard_body = jsonencode({
    widgets = [
      for place, widget in each.value : {
        type   = "metric"
        x      = 8 * (place % 3)
        y      = 6 * floor(place / 3)
        width  = 8
        height = 6
        properties = {
          title   = widget.title
          region  = try(widget.region, local.region)
          stat    = widget.stat
          period  = 60
          view    = "timeSeries"
          metrics = widget.metrics
        }
      }
    ]
  })
}
