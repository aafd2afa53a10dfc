mock_provider "aws" {
  source          = "../../tests/mocks"
  override_during = plan
}

variables {
  environment          = "production"
  name                 = "webhook-worker-critical"
  image                = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/carillon/webhook-worker:1.4.0"
  handler              = "webhook_worker.lambda_handler.handler"
  memory               = 1024
  timeout_seconds      = 60
  reserved_concurrency = 100
  queue = {
    arn          = "arn:aws:sqs:eu-west-1:123456789012:carillon-production-webhook-critical"
    batch        = 5
    most_at_once = 20
  }
  variables = { CARILLON_ENV = "production" }
  secrets = {
    PGPASSWORD  = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:carillon/production/database/webhook-worker-AbCdEf:password::"
    WEBHOOK_URL = "arn:aws:ssm:eu-west-1:123456789012:parameter/carillon/production/webhook-url"
  }
  vpc_id  = "vpc-1"
  subnets = ["subnet-1", "subnet-2", "subnet-3"]
  log_group = {
    name = "/carillon/production/webhook-worker"
    arn  = "arn:aws:logs:eu-west-1:123456789012:log-group:/carillon/production/webhook-worker"
  }
  kms_key_arn          = "arn:aws:kms:eu-west-1:123456789012:key/11111111-1111-1111-1111-111111111111"
  permissions_boundary = "arn:aws:iam::123456789012:policy/carillon-production-boundary"
}

run "a_queue_calls_it" {
  command = plan

  assert {
    condition = (
      aws_lambda_event_source_mapping.queue["queue"].function_response_types == toset(["ReportBatchItemFailures"])
    )
    error_message = "a message that fails comes back, and not its batch"
  }
  assert {
    condition     = aws_lambda_event_source_mapping.queue["queue"].scaling_config[0].maximum_concurrency == 20
    error_message = "as many calls at once as are asked for"
  }
  assert {
    condition     = aws_lambda_function.this.reserved_concurrent_executions == 100
    error_message = "with a share of its own"
  }
  assert {
    condition     = length(aws_cloudwatch_event_rule.minute) == 0
    error_message = "the clock does not call it"
  }
}

run "no_secret_is_in_its_configuration" {
  command = plan

  assert {
    condition     = aws_lambda_function.this.environment[0].variables.PGPASSWORD_FROM == var.secrets.PGPASSWORD
    error_message = "where to read the password"
  }
  assert {
    condition     = !contains(keys(aws_lambda_function.this.environment[0].variables), "PGPASSWORD")
    error_message = "and not the password"
  }
  assert {
    condition     = aws_lambda_function.this.kms_key_arn == var.kms_key_arn
    error_message = "encrypted with our key"
  }
}

run "its_role_has_no_more_than_it_needs" {
  command = plan

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Sid
      if contains(statement.Resource, "*")
    ] == ["BeInTheVpcAndTraced"]
    error_message = "only network interfaces and traces have no resource"
  }
  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Resource
      if statement.Sid == "ReadItsSecrets"
    ] == [["arn:aws:secretsmanager:eu-west-1:123456789012:secret:carillon/production/database/webhook-worker-AbCdEf"]]
    error_message = "its own secret"
  }
  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Resource
      if statement.Sid == "ReadItsParameters"
    ] == [["arn:aws:ssm:eu-west-1:123456789012:parameter/carillon/production/webhook-url"]]
    error_message = "its own parameter"
  }
  assert {
    condition     = aws_iam_role.this.permissions_boundary == var.permissions_boundary
    error_message = "and is bounded"
  }
}

run "the_clock_calls_another" {
  command = plan
  variables {
    name                    = "scheduler"
    queue                   = null
    every_minute            = true
    provisioned_concurrency = 2
  }

  assert {
    condition     = aws_cloudwatch_event_rule.minute[0].schedule_expression == "rate(1 minute)"
    error_message = "a round a minute"
  }
  assert {
    condition     = aws_lambda_permission.minute[0].principal == "events.amazonaws.com"
    error_message = "EventBridge may call it"
  }
  assert {
    condition     = aws_lambda_provisioned_concurrency_config.this[0].provisioned_concurrent_executions == 2
    error_message = "two are warm"
  }
  assert {
    condition     = length(aws_lambda_event_source_mapping.queue) == 0
    error_message = "no queue calls it"
  }
}

run "more_than_ten_a_call_are_gathered_for_a_second" {
  command = plan
  variables {
    queue = { arn = "arn:aws:sqs:eu-west-1:123456789012:carillon-production-webhook-low", batch = 20, most_at_once = 50 }
  }

  assert {
    condition     = aws_lambda_event_source_mapping.queue["queue"].maximum_batching_window_in_seconds == 1
    error_message = "as Lambda requires beyond ten"
  }
}
