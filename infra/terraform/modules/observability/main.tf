# Every alarm of docs/deployment.md, by severity, as entries of one table; the metrics that they need and AWS has not.

data "aws_caller_identity" "this" {}
data "aws_region" "this" {}

locals {
  name    = "carillon-${var.environment}"
  account = data.aws_caller_identity.this.account_id
  region  = data.aws_region.this.region
  metrics = "Carillon/${var.environment}"

  alarms = merge(
    local.queue_alarms, local.dead_letter_alarms, local.api_alarms, local.delivery_alarms, local.scheduler_alarms,
    local.silence_alarms, local.function_alarms, local.database_alarms,
  )
}

# Page: somebody gets up. Escalate: the warning was not enough. Warn: in working hours.
resource "aws_sns_topic" "alarms" {
  for_each          = toset(["page", "escalate", "warn"])
  name              = "${local.name}-alarms-${each.key}"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_policy" "alarms" {
  for_each = aws_sns_topic.alarms
  arn      = each.value.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AlarmsAndBudgetsOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"] }
      Action    = "sns:Publish"
      Resource  = "arn:aws:sns:${local.region}:${local.account}:${local.name}-alarms-${each.key}"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each = merge([
    for severity, addresses in var.alarm_addresses : { for address in addresses : "${severity} ${address}" => { severity = severity, address = address } }
  ]...)
  topic_arn = aws_sns_topic.alarms[each.value.severity].arn
  protocol  = startswith(each.value.address, "https://") ? "https" : "email"
  endpoint  = each.value.address
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each                              = local.alarms
  alarm_name                            = "${local.name}-${each.key}"
  alarm_description                     = "[${each.value.severity}] ${each.value.about}. Runbook: docs/operations.md"
  comparison_operator                   = try(each.value.below, false) ? "LessThanThreshold" : "GreaterThanThreshold"
  threshold                             = each.value.threshold
  evaluation_periods                    = each.value.periods
  datapoints_to_alarm                   = each.value.periods
  treat_missing_data                    = try(each.value.silence, false) ? "breaching" : "notBreaching"
  evaluate_low_sample_count_percentiles = try(each.value.stat, "") == "p95" ? "ignore" : null
  alarm_actions                         = [aws_sns_topic.alarms[each.value.severity].arn]
  ok_actions                            = [aws_sns_topic.alarms[each.value.severity].arn]

  # One metric, or an expression over several.
  namespace          = try(each.value.namespace, null)
  metric_name        = try(each.value.metric, null)
  dimensions         = try(each.value.dimensions, null)
  period             = try(each.value.metric, null) == null ? null : try(each.value.period, 60)
  statistic          = contains(["p95", "p99"], try(each.value.stat, "p95")) ? null : each.value.stat
  extended_statistic = contains(["p95", "p99"], try(each.value.stat, "")) ? each.value.stat : null

  dynamic "metric_query" {
    for_each = try(each.value.expression, null) == null ? [] : [each.value.expression]
    content {
      id          = "result"
      expression  = metric_query.value
      label       = each.value.about
      return_data = true
    }
  }
  dynamic "metric_query" {
    for_each = try(each.value.over, {})
    content {
      id = metric_query.key
      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.metric
        dimensions  = metric_query.value.dimensions
        stat        = "Sum"
        period      = try(each.value.period, 60)
      }
    }
  }
}
