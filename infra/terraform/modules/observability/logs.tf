# The log of each service, and what is counted of it. Percentiles need each value, which a log line has (ADR 0048).

locals {
  # By name: which lines, what of them, and how that is measured.
  counted = {
    # One that was put back asked no endpoint.
    Attempts              = { service = "webhook-worker", pattern = "{ $.event = \"delivery.attempted\" && $.decision != \"PutBack\" }" }
    Delivered             = { service = "webhook-worker", pattern = "{ $.event = \"delivery.attempted\" && $.decision = \"Delivered\" }" }
    GivenUp               = { service = "webhook-worker", pattern = "{ $.event = \"delivery.attempted\" && $.decision = \"GaveUp\" }" }
    Timeouts              = { service = "webhook-worker", pattern = "{ $.event = \"delivery.attempted\" && ($.error_kind = \"timeout\" || $.error_kind = \"*_timeout\") }" }
    AttemptLatencyMs      = { service = "webhook-worker", pattern = "{ $.event = \"delivery.attempted\" && $.latency_ms >= 0 }", value = "$.latency_ms" }
    DeliveredAfterSeconds = { service = "webhook-worker", pattern = "{ $.event = \"delivery.attempted\" && $.delivered_after_seconds >= 0 }", value = "$.delivered_after_seconds" }
    BreakerTrips          = { service = "webhook-worker", pattern = "{ $.event = \"breaker.opened\" }" }
    Emitted               = { service = "scheduler", pattern = "{ $.event = \"due.emitted\" }", value = "$.occurrences" }
    Expired               = { service = "scheduler", pattern = "{ $.event = \"due.emitted\" }", value = "$.expired" }
    DueLagSeconds         = { service = "scheduler", pattern = "{ $.event = \"due.emitted\" }", value = "$.worst_lag_seconds" }
  }
  # Of each service: errors, and loops and batches that wait, which is what a lost database looks like.
  of_each = merge([
    for service in var.services : {
      "${service}/Errors"        = { service = service, metric = "Errors", pattern = "{ $.level = \"error\" || $.level = \"critical\" }" }
      "${service}/ConnectErrors" = { service = service, metric = "ConnectErrors", pattern = "{ $.event = \"batch.waits\" || $.event = \"loop.failed\" || $.event = \"health.not_ready\" || $.event = \"start.waiting\" }" }
    }
  ]...)
}

resource "aws_cloudwatch_log_group" "service" {
  #checkov:skip=CKV_AWS_338:seven days, as decided; CloudTrail's record is kept for a year
  for_each          = toset(concat(tolist(var.services), ["pgbouncer", "migrate", "metrics"]))
  name              = "/carillon/${var.environment}/${each.key}"
  retention_in_days = 7
  kms_key_id        = var.kms_key_arn
}

resource "aws_cloudwatch_log_metric_filter" "counted" {
  for_each       = local.counted
  name           = "${local.name}-${each.key}"
  log_group_name = aws_cloudwatch_log_group.service[each.value.service].name
  pattern        = each.value.pattern
  metric_transformation {
    namespace = local.metrics
    name      = each.key
    value     = try(each.value.value, "1")
  }
}

resource "aws_cloudwatch_log_metric_filter" "of_each" {
  for_each       = local.of_each
  name           = "${local.name}-${replace(each.key, "/", "-")}"
  log_group_name = aws_cloudwatch_log_group.service[each.value.service].name
  pattern        = each.value.pattern
  metric_transformation {
    namespace  = local.metrics
    name       = each.value.metric
    value      = "1"
    dimensions = { Service = "$.service" }
  }
}
