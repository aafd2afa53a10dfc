mock_provider "aws" {
  source          = "../../tests/mocks"
  override_during = plan
}

variables {
  environment = "production"
  name        = "scheduler"
  cluster     = { arn = "arn:aws:ecs:eu-west-1:123456789012:cluster/carillon-production", name = "carillon-production" }
  image       = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/carillon/scheduler:1.4.0"
  cpu         = 1024
  memory      = 2048
  port        = 8080
  variables   = { CARILLON_ENV = "production", HEALTH_PORT = "8080" }
  secrets     = { PGPASSWORD = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:carillon/production/database/scheduler-AbCdEf:password::" }
  statements = [{
    Sid      = "Receive", Effect = "Allow", Action = ["sqs:ReceiveMessage"],
    Resource = ["arn:aws:sqs:eu-west-1:123456789012:carillon-production-scheduler-outcomes"],
  }]
  health_command  = ["CMD", "true"]
  scaling         = { least = 3, most = 10, queues = ["one", "two"], schedules = { new-year = { cron = "cron(30 22 31 12 ? *)", least = 8 } } }
  rollback_alarms = ["carillon-production-scheduler-errors"]
  vpc_id          = "vpc-1"
  subnets         = ["subnet-1", "subnet-2", "subnet-3"]
  reached_groups  = { pgbouncer = { group = "sg-1", port = 6432 } }
  log_group = {
    name = "/carillon/production/scheduler"
    arn  = "arn:aws:logs:eu-west-1:123456789012:log-group:/carillon/production/scheduler"
  }
  kms_key_arn          = "arn:aws:kms:eu-west-1:123456789012:key/11111111-1111-1111-1111-111111111111"
  permissions_boundary = "arn:aws:iam::123456789012:policy/carillon-production-boundary"
}

run "its_role_may_do_what_is_said_and_no_more" {
  command = plan

  assert {
    condition     = jsondecode(aws_iam_role_policy.task[0].policy).Statement == jsondecode(jsonencode(var.statements))
    error_message = "the task's role has the statements given"
  }
  assert {
    condition     = strcontains(aws_iam_role.task.assume_role_policy, "ecs-tasks.amazonaws.com")
    error_message = "ECS tasks have it"
  }
  assert {
    condition = alltrue([
      for role in [aws_iam_role.task, aws_iam_role.execution] : role.permissions_boundary == var.permissions_boundary
    ])
    error_message = "both roles are bounded"
  }
}

run "ecs_may_start_it_and_read_its_secrets_alone" {
  command = plan

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement.Action
      if contains(statement.Resource, "*")
    ] == [["ecr:GetAuthorizationToken"]]
    error_message = "only logging in to ECR has no resource"
  }
  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement.Resource
      if statement.Sid == "ReadItsSecrets"
    ] == [["arn:aws:secretsmanager:eu-west-1:123456789012:secret:carillon/production/database/scheduler-AbCdEf"]]
    error_message = "its own secret, without the key in it"
  }
  assert {
    condition = length([
      for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement
      if statement.Sid == "ReadItsParameters"
    ]) == 0
    error_message = "what it has none of it may not read"
  }
}

run "its_container_is_closed" {
  command = plan

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].readonlyRootFilesystem
    error_message = "its root file system is read-only"
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].user == "10001"
    error_message = "it is not root"
  }
  assert {
    condition = (
      jsondecode(aws_ecs_task_definition.this.container_definitions)[0].linuxParameters.capabilities.drop == ["ALL"]
    )
    error_message = "it has no capability"
  }
  assert {
    condition = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].secrets == [
      { name = "PGPASSWORD", valueFrom = var.secrets.PGPASSWORD },
    ]
    error_message = "the password comes from the secret"
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].stopTimeout == 40
    error_message = "it has time to drain"
  }
  assert {
    condition     = !aws_ecs_service.this[0].network_configuration[0].assign_public_ip
    error_message = "it has no public address"
  }
  assert {
    condition     = !aws_ecs_service.this[0].enable_execute_command
    error_message = "nobody opens a shell in it"
  }
}

run "it_reaches_what_is_named" {
  command = plan

  assert {
    condition     = aws_vpc_security_group_egress_rule.to["pgbouncer"].from_port == 6432
    error_message = "PgBouncer"
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.out.from_port == 443 && aws_vpc_security_group_egress_rule.out.to_port == 443
    error_message = "HTTPS, and no other port of the world"
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.from) == 0
    error_message = "nobody connects to it"
  }
}

run "a_bad_deployment_undoes_itself" {
  command = plan

  assert {
    condition = (
      aws_ecs_service.this[0].deployment_circuit_breaker[0].enable && aws_ecs_service.this[0].deployment_circuit_breaker[0].rollback
    )
    error_message = "tasks that do not start bring the old ones back"
  }
  assert {
    condition     = aws_ecs_service.this[0].alarms[0].rollback && length(aws_ecs_service.this[0].alarms[0].alarm_names) == 1
    error_message = "so does an alarm"
  }
  assert {
    condition     = aws_ecs_service.this[0].deployment_minimum_healthy_percent == 100
    error_message = "the old tasks stay until the new ones run"
  }
}

run "it_scales_with_its_work" {
  command = plan

  assert {
    condition     = aws_appautoscaling_target.this[0].min_capacity == 3 && aws_appautoscaling_target.this[0].max_capacity == 10
    error_message = "3 to 10 tasks"
  }
  assert {
    condition     = aws_appautoscaling_policy.cpu[0].target_tracking_scaling_policy_configuration[0].target_value == 70
    error_message = "at 70 % CPU"
  }
  assert {
    condition = one([
      for metric in aws_appautoscaling_policy.backlog[0].target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].metrics :
      metric.expression if metric.return_data
    ]) == "(FILL(visible0, 0) + FILL(visible1, 0)) / IF(FILL(running, 0) > 0, running, 1)"
    error_message = "by the messages that wait for each task"
  }
  assert {
    condition     = aws_appautoscaling_scheduled_action.this["new-year"].scalable_target_action[0].min_capacity == "8"
    error_message = "and ahead of a peak that is known"
  }
}

run "behind_a_load_balancer_it_is_blue_and_green" {
  command = plan
  variables {
    blue_green = {
      blue_target_group_arn  = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/blue/0123456789abcdef"
      green_target_group_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/green/0123456789abcdef"
      production_rule_arn    = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/a/1/2/3"
      test_rule_arn          = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/a/1/2/4"
      bake_minutes           = 10
    }
  }

  assert {
    condition = (
      aws_ecs_service.this[0].deployment_configuration[0].strategy == "BLUE_GREEN"
      && aws_ecs_service.this[0].deployment_configuration[0].bake_time_in_minutes == "10"
    )
    error_message = "green bakes for ten minutes before blue goes"
  }
  assert {
    condition     = length(aws_iam_role.shift_traffic) == 1 && aws_ecs_service.this[0].alarms[0].rollback
    error_message = "ECS shifts traffic, and back on an alarm"
  }
}

run "a_collector_beside_it_may_send_telemetry" {
  command = plan
  variables {
    collector = {
      image         = "public.ecr.aws/aws-observability/aws-otel-collector:v0.43.3"
      configuration = "receivers: {}"
      log_group_arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/carillon/production/metrics"
      traced_share  = 0.1
    }
  }

  assert {
    condition = [
      for container in jsondecode(aws_ecs_task_definition.this.container_definitions) : [container.name, container.essential]
    ] == [["scheduler", true], ["collector", false]]
    error_message = "the service does without it when it dies"
  }
  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.task[0].policy).Statement : statement.Sid
      if contains(statement.Resource, "*")
    ] == ["SendTraces"]
    error_message = "only traces have no resource to name"
  }
  assert {
    condition = contains(
      jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment,
      { name = "OTEL_EXPORTER_OTLP_ENDPOINT", value = "http://127.0.0.1:4318" },
    )
    error_message = "the service sends to it"
  }
}

run "one_that_the_pipeline_runs_is_no_service" {
  command = plan
  variables {
    scaling = null
  }

  assert {
    condition     = length(aws_ecs_service.this) == 0 && length(aws_appautoscaling_target.this) == 0
    error_message = "a task definition, and nothing that starts it"
  }
}

run "a_permission_for_everything_is_refused" {
  command = plan
  variables {
    statements = [{ Sid = "All", Effect = "Allow", Action = ["sqs:*"], Resource = ["arn:aws:sqs:eu-west-1:123456789012:q"] }]
  }
  expect_failures = [var.statements]
}

run "an_image_that_may_change_is_refused" {
  command = plan
  variables {
    image = "carillon/scheduler:latest"
  }
  expect_failures = [var.image]
}

run "a_password_among_the_plain_variables_is_refused" {
  command = plan
  variables {
    variables = { PGPASSWORD = "hunter2" }
  }
  expect_failures = [var.variables]
}

run "root_is_refused" {
  command = plan
  variables {
    user = "0"
  }
  expect_failures = [var.user]
}
