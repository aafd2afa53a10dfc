locals {
  attempts = {
    for id, metric in { attempts = "Attempts", delivered = "Delivered", timeouts = "Timeouts", given = "GivenUp" } :
    id => { namespace = local.metrics, metric = metric, dimensions = {} }
  }
  # By the clock, what is due waits for up to a minute.
  round_seconds = var.compute == "lambda" ? 60 : 0
  delivery_alarms = {
    webhook-success = {
      severity   = "warn"
      about      = "Fewer than 95 % of webhook attempts succeed for 10 minutes"
      expression = "IF(attempts > 20, 100 * FILL(delivered, 0) / attempts, 100)"
      over       = { for id in ["attempts", "delivered"] : id => local.attempts[id] }
      threshold  = 95
      below      = true
      periods    = 10
    }
    webhook-timeouts = {
      severity   = "warn"
      about      = "More than 5 % of webhook attempts time out for 5 minutes"
      expression = "IF(attempts > 20, 100 * FILL(timeouts, 0) / attempts, 0)"
      over       = { for id in ["attempts", "timeouts"] : id => local.attempts[id] }
      threshold  = 5
      periods    = 5
    }
    webhook-given-up = {
      severity   = "page"
      about      = "More than 10 % of webhook attempts are given up for 5 minutes"
      expression = "IF(attempts > 20, 100 * FILL(given, 0) / attempts, 0)"
      over       = { for id in ["attempts", "given"] : id => local.attempts[id] }
      threshold  = 10
      periods    = 5
    }
    breaker-trip = {
      severity   = "warn"
      about      = "An endpoint's circuit breaker opened"
      namespace  = local.metrics
      metric     = "BreakerTrips"
      dimensions = {}
      stat       = "Sum"
      threshold  = 0
      periods    = 1
    }
    worker-slow = {
      severity   = "warn"
      about      = "p95 of a webhook attempt is more than 10 s for 5 minutes"
      namespace  = local.metrics
      metric     = "AttemptLatencyMs"
      dimensions = {}
      stat       = "p95"
      threshold  = 10000
      periods    = 5
    }
    due-to-delivered = {
      severity   = "warn"
      about      = "p95 from due to delivered is more than ${30 + local.round_seconds} s for 5 minutes"
      namespace  = local.metrics
      metric     = "DeliveredAfterSeconds"
      dimensions = {}
      stat       = "p95"
      threshold  = 30 + local.round_seconds
      periods    = 5
    }
    outbox-rejected = {
      severity   = "warn"
      about      = "SNS refused a message for good: it is in outbox.rejected"
      namespace  = local.metrics
      metric     = "carillon_outbox_rejected"
      dimensions = {}
      stat       = "Maximum"
      threshold  = 0
      periods    = 1
    }
  }
  scheduler_alarms = {
    scheduler-slow = {
      severity   = "warn"
      about      = "p95 of the lag from due to emitted is more than ${5 + local.round_seconds} s for 5 minutes"
      namespace  = local.metrics
      metric     = "DueLagSeconds"
      dimensions = {}
      stat       = "p95"
      threshold  = 5 + local.round_seconds
      periods    = 5
    }
  }
}
