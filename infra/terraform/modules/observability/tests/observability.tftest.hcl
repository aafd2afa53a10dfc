mock_provider "aws" {
  source          = "../../tests/mocks"
  override_during = plan
}

variables {
  environment = "production"
  compute     = "ecs"
  services    = ["user-api", "scheduler", "dispatcher", "webhook-worker"]
  queues = {
    webhook-critical = {
      name             = "carillon-production-webhook-critical"
      dead_letter_name = "carillon-production-webhook-critical-dlq"
      undelivered_name = "carillon-production-webhook-critical-undelivered-dlq"
      priority         = "critical"
    }
    scheduler-outcomes = {
      name             = "carillon-production-scheduler-outcomes"
      dead_letter_name = "carillon-production-scheduler-outcomes-dlq"
      undelivered_name = "carillon-production-scheduler-outcomes-undelivered-dlq"
    }
  }
  api_id             = "api123"
  database_instances = ["carillon-production", "carillon-production-reader-1"]
  max_connections    = 400
  expects_traffic    = true
  alarm_addresses    = { page = ["https://pager.example/carillon"], warn = ["team@carillon.example"] }
  budget_usd         = 1600
  kms_key_arn        = "arn:aws:kms:eu-west-1:123456789012:key/11111111-1111-1111-1111-111111111111"
}

# Severity, threshold, and how long in minutes.
run "alarms_are_those_that_were_decided" {
  command = plan

  override_resource {
    target          = aws_sns_topic.alarms["page"]
    override_during = plan
    values          = { arn = "arn:aws:sns:eu-west-1:123456789012:carillon-production-alarms-page" }
  }

  override_resource {
    target          = aws_sns_topic.alarms["escalate"]
    override_during = plan
    values          = { arn = "arn:aws:sns:eu-west-1:123456789012:carillon-production-alarms-escalate" }
  }

  override_resource {
    target          = aws_sns_topic.alarms["warn"]
    override_during = plan
    values          = { arn = "arn:aws:sns:eu-west-1:123456789012:carillon-production-alarms-warn" }
  }

  assert {
    condition = {
      for key, alarm in aws_cloudwatch_metric_alarm.this : key => join(" ", [
        reverse(split("-", one(alarm.alarm_actions)))[0], alarm.threshold,
        alarm.evaluation_periods * try(local.alarms[key].period, 60) / 60,
      ])
      } == {
      webhook-critical-depth-page                      = "page 1000 1"
      webhook-critical-depth-escalate                  = "escalate 500 1"
      webhook-critical-depth-warn                      = "warn 10 5"
      webhook-critical-age                             = "warn 300 1"
      webhook-critical-not-consumed                    = "page 1 5"
      webhook-critical-dead-letters                    = "warn 0 1"
      webhook-critical-dead-letters-page               = "page 100 1"
      webhook-critical-dead-letters-age                = "warn 3600 1"
      webhook-critical-undelivered-dead-letters        = "warn 0 1"
      webhook-critical-undelivered-dead-letters-page   = "page 100 1"
      webhook-critical-undelivered-dead-letters-age    = "warn 3600 1"
      scheduler-outcomes-depth-page                    = "page 10000 1"
      scheduler-outcomes-depth-warn                    = "warn 5000 5"
      scheduler-outcomes-age                           = "warn 300 1"
      scheduler-outcomes-not-consumed                  = "page 1 5"
      scheduler-outcomes-dead-letters                  = "warn 0 1"
      scheduler-outcomes-dead-letters-page             = "page 100 1"
      scheduler-outcomes-dead-letters-age              = "warn 3600 1"
      scheduler-outcomes-undelivered-dead-letters      = "warn 0 1"
      scheduler-outcomes-undelivered-dead-letters-page = "page 100 1"
      scheduler-outcomes-undelivered-dead-letters-age  = "warn 3600 1"
      open-dead-letters-warn                           = "warn 0 1"
      open-dead-letters-page                           = "page 100 1"
      api-errors-page                                  = "page 10 5"
      api-errors-warn                                  = "warn 5 5"
      api-slow                                         = "warn 2000 5"
      user-api-errors                                  = "warn 3 5"
      scheduler-errors                                 = "warn 3 5"
      dispatcher-errors                                = "warn 3 5"
      webhook-worker-errors                            = "warn 3 5"
      webhook-success                                  = "warn 95 10"
      webhook-timeouts                                 = "warn 5 5"
      webhook-given-up                                 = "page 10 5"
      breaker-trip                                     = "warn 0 1"
      worker-slow                                      = "warn 10000 5"
      due-to-delivered                                 = "warn 30 5"
      outbox-rejected                                  = "warn 0 1"
      scheduler-slow                                   = "warn 5 5"
      dispatcher-silent                                = "page 60 5"
      scheduler-silent                                 = "page 60 5"
      webhook-worker-silent                            = "page 9999 5"
      user-api-not-running                             = "page 1 3"
      scheduler-not-running                            = "page 1 3"
      dispatcher-not-running                           = "page 1 3"
      webhook-worker-not-running                       = "page 1 3"
      pgbouncer-not-running                            = "page 1 3"
      nothing-emitted                                  = "page 1 60"
      database-down                                    = "page 1 3"
      database-cpu                                     = "warn 80 15"
      database-connections                             = "warn 320 1"
      database-storage                                 = "warn 2000000000 1"
      reader-1-down                                    = "page 1 3"
      reader-1-cpu                                     = "warn 80 15"
      reader-1-connections                             = "warn 320 1"
      reader-1-storage                                 = "warn 2000000000 1"
      reader-1-lag                                     = "warn 1 3"
      user-api-database-errors                         = "page 50 1"
      scheduler-database-errors                        = "page 50 1"
      dispatcher-database-errors                       = "page 50 1"
      webhook-worker-database-errors                   = "page 50 1"
    }
    error_message = "each alarm of docs/deployment.md goes to its severity, with its threshold and patience"
  }
}

# `make terraform-test` writes expected.json out of the services' code.
run "what_alarms_count_is_told_by_the_services" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for filter in concat(values(aws_cloudwatch_log_metric_filter.counted), values(aws_cloudwatch_log_metric_filter.of_each)) : [
        for event in flatten(regexall("event = \"([a-z_.]+)\"", filter.pattern)) : contains(jsondecode(file("tests/expected.json")).events, event)
      ]
    ]))
    error_message = "a filter counts log lines that a service writes"
  }
  assert {
    condition = alltrue([
      for alarm in local.alarms : contains(jsondecode(file("tests/expected.json")).metrics, alarm.metric)
      if try(startswith(alarm.metric, "carillon_"), false)
    ])
    error_message = "an alarm asks for metrics that a service records"
  }
  assert {
    condition = alltrue(flatten([
      for alarm in local.alarms : [
        for metric in concat(try([alarm.metric], []), [for asked in values(try(alarm.over, {})) : asked.metric]) :
        contains(concat(keys(local.counted), ["Errors", "ConnectErrors"]), metric)
        if !startswith(metric, "carillon_") && contains([try(alarm.namespace, ""), try(values(alarm.over)[0].namespace, "")], local.metrics)
      ]
    ]))
    error_message = "an alarm asks for metrics that are counted"
  }
  assert {
    condition = alltrue([
      for key in keys(aws_cloudwatch_metric_alarm.this) : anytrue([
        for name in [
          key,
          replace(key, "/^(webhook-critical|scheduler-outcomes)/", "{queue}"),
          replace(key, "/^(user-api|scheduler|dispatcher|webhook-worker|pgbouncer)/", "{service}"),
          replace(key, "/^reader-1/", "reader-{n}"),
        ] : strcontains(file("../../../../docs/deployment.md"), "`${name}`")
      ])
    ])
    error_message = "docs/deployment.md has every alarm"
  }
}

run "silence_is_an_alarm" {
  command = plan

  assert {
    condition = toset([for key, alarm in aws_cloudwatch_metric_alarm.this : key if alarm.treat_missing_data == "breaching"]) == toset([
      "dispatcher-silent", "scheduler-silent", "webhook-worker-silent", "user-api-not-running", "scheduler-not-running",
      "dispatcher-not-running", "webhook-worker-not-running", "pgbouncer-not-running", "webhook-critical-not-consumed",
      "scheduler-outcomes-not-consumed", "nothing-emitted", "database-down", "reader-1-down",
    ])
    error_message = "no data of a service, a consumer or the database pages"
  }
}

run "every_queue_has_alarms" {
  command = plan

  assert {
    condition = toset([
      for alarm in aws_cloudwatch_metric_alarm.this : alarm.dimensions.QueueName if can(alarm.dimensions.QueueName)
      ]) == toset(flatten([
        for queue in var.queues : [queue.name, queue.dead_letter_name, queue.undelivered_name]
    ]))
    error_message = "each queue and each dead-letter queue"
  }
}

run "logs_are_kept_for_a_week_and_encrypted" {
  command = plan

  assert {
    condition = alltrue([
      for group in aws_cloudwatch_log_group.service : group.retention_in_days == 7 && group.kms_key_id == var.kms_key_arn
    ])
    error_message = "every log group"
  }
}

run "the_trail_is_whole_and_closed" {
  command = plan

  assert {
    condition     = aws_cloudtrail.this.is_multi_region_trail && aws_cloudtrail.this.enable_log_file_validation
    error_message = "every region, and no file changes unseen"
  }
  assert {
    condition     = aws_cloudtrail.this.kms_key_id == var.kms_key_arn
    error_message = "encrypted with our key"
  }
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.trail.block_public_acls, aws_s3_bucket_public_access_block.trail.block_public_policy,
      aws_s3_bucket_public_access_block.trail.ignore_public_acls, aws_s3_bucket_public_access_block.trail.restrict_public_buckets,
    ])
    error_message = "its bucket is not public"
  }
  assert {
    condition = alltrue([
      for statement in jsondecode(aws_s3_bucket_policy.trail.policy).Statement :
      statement.Principal == { Service = "cloudtrail.amazonaws.com" } if statement.Effect == "Allow"
    ])
    error_message = "CloudTrail alone writes to it"
  }
}

run "three_dashboards_and_a_budget" {
  command = plan

  assert {
    condition     = keys(aws_cloudwatch_dashboard.this) == ["business", "cost", "operations"]
    error_message = "operations, business, cost"
  }
  assert {
    condition = alltrue([
      for dashboard in aws_cloudwatch_dashboard.this : alltrue([
        for widget in jsondecode(dashboard.dashboard_body).widgets : length(widget.properties.metrics) > 0
      ])
    ])
    error_message = "no widget is empty"
  }
  assert {
    condition     = aws_budgets_budget.this.limit_amount == "1600" && length(aws_budgets_budget.this.notification) == 2
    error_message = "told at 80 % spent, and when the forecast is beyond"
  }
}

run "nobody_but_alarms_and_budgets_rings_the_pager" {
  command = plan

  assert {
    condition = alltrue([
      for policy in aws_sns_topic_policy.alarms : jsonencode([
        for statement in jsondecode(policy.policy).Statement : [statement.Effect, statement.Principal.Service]
      ]) == jsonencode([["Allow", ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"]]])
    ])
    error_message = "services of this account alone"
  }
  assert {
    condition = jsonencode({ for key, subscription in aws_sns_topic_subscription.alarms : key => subscription.protocol }) == jsonencode({
      "page https://pager.example/carillon" = "https"
      "warn team@carillon.example"          = "email"
    })
    error_message = "a pager by https, people by e-mail"
  }
  assert {
    condition     = alltrue([for topic in aws_sns_topic.alarms : topic.kms_master_key_id == var.kms_key_arn])
    error_message = "encrypted with our key"
  }
}

run "a_deployment_is_undone_by_errors_and_slowness" {
  command = plan

  assert {
    condition     = output.rollback_alarms["user-api"] == ["carillon-production-api-errors-warn", "carillon-production-api-slow"]
    error_message = "more than 5 % errors, or p99 over 2 s, for 5 minutes"
  }
  assert {
    condition     = output.rollback_alarms["scheduler"] == ["carillon-production-scheduler-errors"]
    error_message = "a worker's by its errors"
  }
}

run "as_lambdas_they_are_throttled_and_called" {
  command = plan
  variables {
    compute   = "lambda"
    functions = ["scheduler", "webhook-worker-critical", "webhook-worker-low", "webhook-worker-retries"]
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["scheduler-throttled"].threshold == 0
      && aws_cloudwatch_metric_alarm.this["webhook-worker-critical-throttled"].threshold == 10
    )
    error_message = "throttling of the scheduler and of the critical worker pages"
  }
  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.this), "scheduler-not-running")
    error_message = "no task of theirs is missed"
  }
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["due-to-delivered"].threshold == 90
      && aws_cloudwatch_metric_alarm.this["scheduler-slow"].threshold == 65
      && !contains(keys(aws_cloudwatch_metric_alarm.this), "webhook-worker-retries-duration")
    )
    error_message = "what waits for the next minute, and a round that lasts, are no alarms"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["scheduler-silent"].metric_name == "Invocations"
    error_message = "their silence is that they are not called"
  }
}
