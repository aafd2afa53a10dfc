# A service on ECS Fargate, or a task that the pipeline runs: the service has several tasks in private subnets, replaced a few at a time, and the old ones back by
# themselves when the new ones fail or an alarm tells so.

data "aws_caller_identity" "this" {}
data "aws_region" "this" {}

locals {
  name   = "carillon-${var.environment}-${var.name}"
  region = data.aws_region.this.region

  container = {
    name                   = var.name
    image                  = var.image
    essential              = true
    entryPoint             = var.entry_point
    command                = var.command
    readonlyRootFilesystem = true
    user                   = var.user
    environment            = [for name in sort(keys(local.variables)) : { name = name, value = local.variables[name] }]
    secrets                = [for name in sort(keys(var.secrets)) : { name = name, valueFrom = var.secrets[name] }]
    portMappings           = [{ containerPort = var.port, hostPort = var.port, protocol = "tcp" }]
    stopTimeout            = 40 # longer than DRAIN_TIMEOUT_SECONDS
    linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = var.log_group.name
        awslogs-region        = local.region
        awslogs-stream-prefix = var.name
        mode                  = "non-blocking" # a slow log costs lines, never work
      }
    }
    # Whether it lives, not whether it is ready: while the database is away a task waits, and killing it helps nobody.
    healthCheck = { command = var.health_command, interval = 10, timeout = 5, retries = 3, startPeriod = 90 }
  }
}

resource "aws_ecs_task_definition" "this" {
  family                   = local.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  task_role_arn            = aws_iam_role.task.arn
  execution_role_arn       = aws_iam_role.execution.arn
  # Null is what a container does not say.
  container_definitions = jsonencode([
    for container in concat([local.container], local.collectors) : { for key, value in container : key => value if value != null }
  ])

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }
}

resource "aws_ecs_service" "this" {
  count                              = var.scaling == null ? 0 : 1
  name                               = local.name
  cluster                            = var.cluster.arn
  task_definition                    = aws_ecs_task_definition.this.arn
  desired_count                      = try(var.scaling.least, 1)
  platform_version                   = "LATEST"
  propagate_tags                     = "SERVICE"
  enable_ecs_managed_tags            = true
  enable_execute_command             = false
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  availability_zone_rebalancing      = "ENABLED"
  health_check_grace_period_seconds  = var.blue_green == null ? null : 90
  wait_for_steady_state              = true
  sigint_rollback                    = true

  capacity_provider_strategy {
    capacity_provider = var.capacity_provider
    weight            = 1
  }

  network_configuration {
    subnets          = var.subnets
    security_groups  = [aws_security_group.this.id]
    assign_public_ip = false
  }

  # New tasks that do not start, or an alarm while they come, bring the old ones back.
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  alarms {
    enable      = length(var.rollback_alarms) > 0
    rollback    = length(var.rollback_alarms) > 0
    alarm_names = var.rollback_alarms
  }

  deployment_configuration {
    strategy             = var.blue_green == null ? "ROLLING" : "BLUE_GREEN"
    bake_time_in_minutes = var.blue_green == null ? null : var.blue_green.bake_minutes
  }

  dynamic "load_balancer" {
    for_each = var.blue_green == null ? [] : [var.blue_green]
    content {
      container_name   = var.name
      container_port   = var.port
      target_group_arn = load_balancer.value.blue_target_group_arn
      advanced_configuration {
        alternate_target_group_arn = load_balancer.value.green_target_group_arn
        production_listener_rule   = load_balancer.value.production_rule_arn
        test_listener_rule         = load_balancer.value.test_rule_arn
        role_arn                   = aws_iam_role.shift_traffic[0].arn
      }
    }
  }

  dynamic "service_registries" {
    for_each = aws_service_discovery_service.this
    content {
      registry_arn = service_registries.value.arn
    }
  }

  lifecycle {
    # Scaling decides the count; a blue/green deployment which of the two groups is the one in use.
    ignore_changes = [desired_count, load_balancer]
  }
}

# The address of a service that others connect to, pgbouncer.carillon-production.internal.
resource "aws_service_discovery_service" "this" {
  count = var.discovery == null ? 0 : 1
  name  = var.name
  dns_config {
    namespace_id   = var.discovery.namespace_id
    routing_policy = "MULTIVALUE"
    dns_records {
      type = "A"
      ttl  = 10
    }
  }
}
