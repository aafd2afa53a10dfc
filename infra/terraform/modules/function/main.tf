# A service's work as a Lambda: called by a queue's messages, by the clock, or both. The same image as on ECS.

data "aws_caller_identity" "this" {}
data "aws_region" "this" {}

locals {
  name    = "carillon-${var.environment}-${var.name}"
  account = data.aws_caller_identity.this.account_id
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116:what a batch could not handle goes back to its queue and on to its dead-letter queue
  #checkov:skip=CKV_AWS_272:an image, whose tag ECR keeps immutable; code signing is for archives
  #checkov:skip=CKV_AWS_115:the low queue has no share of its own on purpose; the others reserve theirs
  function_name                  = local.name
  role                           = aws_iam_role.this.arn
  package_type                   = "Image"
  image_uri                      = var.image
  architectures                  = ["arm64"]
  memory_size                    = var.memory
  timeout                        = var.timeout_seconds
  reserved_concurrent_executions = var.reserved_concurrency
  publish                        = true
  kms_key_arn                    = var.kms_key_arn

  image_config {
    entry_point = ["python", "-m", "awslambdaric"]
    command     = [var.handler]
  }

  environment {
    # ECS hands secrets over; here the entry point reads NAME from what NAME_FROM names, so no configuration holds one.
    variables = merge(var.variables, { for name, from in var.secrets : "${name}_FROM" => from })
  }

  vpc_config {
    subnet_ids         = var.subnets
    security_group_ids = [aws_security_group.this.id]
  }

  logging_config {
    log_format = "JSON"
    log_group  = var.log_group.name
  }

  tracing_config {
    mode = "Active"
  }
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}

resource "aws_lambda_provisioned_concurrency_config" "this" {
  count                             = var.provisioned_concurrency > 0 ? 1 : 0
  function_name                     = aws_lambda_function.this.function_name
  qualifier                         = aws_lambda_alias.live.name
  provisioned_concurrent_executions = var.provisioned_concurrency
}

resource "aws_lambda_event_source_mapping" "queue" {
  for_each                           = var.queue == null ? {} : { queue = var.queue }
  event_source_arn                   = each.value.arn
  function_name                      = aws_lambda_alias.live.arn
  batch_size                         = each.value.batch
  maximum_batching_window_in_seconds = each.value.batch > 10 ? 1 : 0 # SQS hands over ten at once
  function_response_types            = ["ReportBatchItemFailures"]
  scaling_config {
    maximum_concurrency = each.value.most_at_once
  }
}

resource "aws_cloudwatch_event_rule" "minute" {
  count               = var.every_minute ? 1 : 0
  name                = local.name
  description         = "A round of ${local.name} a minute"
  schedule_expression = "rate(1 minute)"
}

resource "aws_cloudwatch_event_target" "minute" {
  count = var.every_minute ? 1 : 0
  rule  = aws_cloudwatch_event_rule.minute[0].name
  arn   = aws_lambda_alias.live.arn
  retry_policy {
    maximum_event_age_in_seconds = 60 # the next minute has a round of its own
    maximum_retry_attempts       = 0
  }
}

resource "aws_lambda_permission" "minute" {
  count         = var.every_minute ? 1 : 0
  statement_id  = "EveryMinute"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.minute[0].arn
}
