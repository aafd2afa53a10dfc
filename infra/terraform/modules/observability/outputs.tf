output "log_groups" {
  description = "Where each service logs."
  value       = { for name, group in aws_cloudwatch_log_group.service : name => { name = group.name, arn = group.arn } }
}

output "metrics_namespace" {
  description = "CloudWatch namespace of the services' own metrics."
  value       = local.metrics
}

output "rollback_alarms" {
  description = "Alarms that undo a deployment: errors over 5 %, or p99 over 2 s, for 5 minutes; errors of the service itself."
  value = {
    for service in var.services : service => [
      for key in service == "user-api" ? ["api-errors-warn", "api-slow"] : ["${service}-errors"] :
      aws_cloudwatch_metric_alarm.this[key].alarm_name
    ]
  }
}

output "alarm_topics" {
  description = "Topic of each severity."
  value       = { for severity, topic in aws_sns_topic.alarms : severity => topic.arn }
}
