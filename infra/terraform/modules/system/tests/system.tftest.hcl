mock_provider "aws" {
  source          = "../../tests/mocks"
  override_during = plan
}
mock_provider "tls" {
  override_during = plan
}
# `random` is the real one: it needs no account, and what is ephemeral cannot be mocked.
provider "random" {}

variables {
  environment     = "staging"
  registry        = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
  image_tag       = "1.4.0"
  topology_file   = "../../../../contracts/topology.yaml"
  openapi_file    = "../../../../contracts/openapi.json"
  cidr            = "10.21.0.0/16"
  in_every_zone   = false
  protected       = true
  expects_traffic = false
  traced_share    = 1
  budget_usd      = 700
  database        = { instance_class = "db.r6g.large", multi_az = true, readers = 1, storage_gb = 100, max_connections = 200 }
  pgbouncer       = { pool_size = 15, least = 2, most = 2 }
  sizes = {
    user-api       = { cpu = 512, memory = 1024, least = 2, most = 4 }
    scheduler      = { cpu = 512, memory = 1024, least = 2, most = 4 }
    dispatcher     = { cpu = 512, memory = 1024, least = 2, most = 4 }
    webhook-worker = { cpu = 512, memory = 1024, least = 2, most = 4 }
  }
  domain_name = "api.staging.carillon.example"
  zone_id     = "Z0123456789"
  jwt         = { issuer = "https://issuer.example", audience = "carillon", jwks_url = "https://issuer.example/keys" }
  webhook_url = "https://hooks.example/carillon"
}

# One plan for all of these: it is of five hundred resources.
run "an_environment_is_closed_but_for_what_it_does" {
  command = plan

  # Only the dispatcher may publish.
  assert {
    condition = [
      for service, statements in local.statements : service
      if anytrue(flatten([for statement in statements : [for action in statement.Action : startswith(action, "sns:")]]))
    ] == ["dispatcher"]
    error_message = "no other service has any permission on topics"
  }
  assert {
    condition = toset(flatten([
      for statement in local.statements["dispatcher"] : statement.Resource if contains(statement.Action, "sns:Publish")
    ])) == toset(values(module.messaging.topic_arns))
    error_message = "it may publish on the topology's topics, and on no other"
  }
  assert {
    condition     = !anytrue(flatten([for statement in local.statements["dispatcher"] : [for action in statement.Action : startswith(action, "sqs:")]]))
    error_message = "it has no business with queues"
  }

  # A service receives from its own queues alone.
  assert {
    condition = toset(flatten([
      for statement in local.statements["scheduler"] : statement.Resource if contains(statement.Action, "sqs:ReceiveMessage")
    ])) == toset([for name, queue in module.messaging.queues : queue.arn if startswith(name, "scheduler-")])
    error_message = "the scheduler from the scheduler's"
  }
  assert {
    condition = [
      for statement in local.statements["webhook-worker"] : toset(statement.Resource) if statement.Sid == "ReceiveFromItsQueues"
    ] == [toset([for name, queue in module.messaging.queues : queue.arn if startswith(name, "webhook-")])]
    error_message = "the worker from the worker's"
  }
  assert {
    condition     = length(local.statements["user-api"]) == 0
    error_message = "the API needs nothing of AWS"
  }
  assert {
    condition = [
      for statement in local.statements["webhook-worker"] : statement.Resource if contains(statement.Action, "ssm:GetParameter")
    ] == [["arn:aws:ssm:eu-west-1:123456789012:parameter/carillon/staging/webhook-url"]]
    error_message = "the worker reads the default endpoint, and no other parameter"
  }

  # No permission is for everything.
  assert {
    condition = alltrue(flatten([
      for statements in local.statements : [
        for statement in statements : [for word in concat(statement.Action, statement.Resource) : !strcontains(word, "*")]
      ]
    ]))
    error_message = "every action and every resource has a name"
  }
  assert {
    condition = alltrue(flatten([
      for statements in local.statements : [
        for statement in statements : [for action in statement.Action : !can(regex("Create|DeleteQueue|DeleteTopic|SetQueue|SetTopic|AddPermission|Purge", action))]
      ]
    ]))
    error_message = "no service changes what Terraform made"
  }

  # Each role has its own secret.
  assert {
    condition     = toset(keys(local.secrets["dispatcher"])) == toset(["PGPASSWORD"])
    error_message = "the dispatcher has its password"
  }
  assert {
    condition = toset([for service, secrets in local.secrets : service if contains(keys(secrets), "ENCRYPTION_KEYS")]) == toset([
      "user-api", "webhook-worker",
    ])
    error_message = "those that keep endpoints' secrets have the keys"
  }
  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.shared : secret.kms_key_id == module.key.arn])
    error_message = "encrypted with our key"
  }
  assert {
    condition     = aws_ssm_parameter.webhook_url.name == "/carillon/staging/webhook-url" && aws_ssm_parameter.webhook_url.type == "SecureString"
    error_message = "the default endpoint is a parameter, encrypted"
  }
  assert {
    condition     = alltrue([for version in aws_secretsmanager_secret_version.shared : version.secret_string == null])
    error_message = "no state holds a secret"
  }

  # Every service goes through PgBouncer.
  assert {
    condition = alltrue([
      for service, variables in local.variables :
      strcontains(variables.DATABASE_URL, "@pgbouncer.carillon-staging.internal:6432/") && endswith(variables.DATABASE_URL, "sslmode=require")
    ])
    error_message = "by TLS"
  }
  assert {
    condition     = alltrue([for variables in local.variables : variables.DATABASE_STATEMENT_CACHE == "0"])
    error_message = "without prepared statements"
  }
  assert {
    condition = alltrue([
      for line in ["pool_mode = transaction", "default_pool_size = 15", "max_client_conn = 1000", "server_lifetime = 3600",
      "server_idle_timeout = 600", "client_tls_sslmode = require", "server_tls_sslmode = require"] : strcontains(local.pgbouncer_ini, "${line}\n")
    ])
    error_message = "PgBouncer is set as decided"
  }

  # Services have the settings that they know.
  # `make terraform-test` writes expected.json out of the Settings of each service.
  assert {
    condition = alltrue([
      for service in local.services : length(setsubtract(
        setunion(keys(local.variables[service]), keys(local.own_variables[service]), keys(local.secrets[service])),
        concat(jsondecode(file("tests/expected.json")).known[service], ["PGPASSWORD"]),
      )) == 0
    ])
    error_message = "no variable is one that the service does not read"
  }
  assert {
    condition = alltrue([
      for service in local.services : length(setsubtract(
        jsondecode(file("tests/expected.json")).required[service],
        concat(["TOPOLOGY_FILE"], keys(local.variables[service]), keys(local.own_variables[service]), keys(local.secrets[service])),
      )) == 0
    ])
    error_message = "no variable is missing that it requires; the image brings TOPOLOGY_FILE"
  }

  # What else an environment is.
  assert {
    condition     = alltrue([for queue in module.messaging.queues : startswith(queue.arn, "arn:aws:sqs:eu-west-1:123456789012:carillon-staging-")])
    error_message = "queues are this environment's"
  }
  assert {
    condition     = one([for setting in aws_ecs_cluster.this.setting : setting.value if setting.name == "containerInsights"]) == "enabled"
    error_message = "tasks are counted"
  }
}

run "as_lambdas_each_priority_has_its_share" {
  command = plan
  variables {
    compute = "lambda"
  }

  assert {
    condition = jsonencode({ for name, function in local.functions : name => [function.memory, function.timeout_seconds, function.reserved, function.most_at_once] }) == jsonencode({
      scheduler               = [1024, 120, 20, null]
      webhook-worker-critical = [1024, 60, 100, 20]
      webhook-worker-high     = [1024, 90, 50, 10]
      webhook-worker-normal   = [512, 120, 100, 20]
      webhook-worker-low      = [512, 180, -1, 50]
      webhook-worker-retries  = [1024, 60, 2, null]
    })
    error_message = "memory, timeout, reserved, calls at once"
  }
  assert {
    condition     = local.functions["scheduler"].provisioned == 2 && local.functions["scheduler"].every_minute
    error_message = "two schedulers are warm, and called every minute"
  }
  assert {
    condition = jsonencode({
      for name, queue in module.messaging.queues : name => queue.visibility_seconds if startswith(name, "webhook-") && queue.priority != null
    }) == jsonencode({ webhook-critical = 360, webhook-high = 540, webhook-low = 1080, webhook-normal = 720 })
    error_message = "a queue hides a message for six times the timeout"
  }
  assert {
    condition     = local.on_ecs == ["user-api", "dispatcher"]
    error_message = "the API and the dispatcher stay on ECS"
  }
}

run "more_connections_than_the_database_takes_are_refused" {
  command = plan
  variables {
    pgbouncer = { pool_size = 25, least = 2, most = 4 }
  }
  expect_failures = [var.pgbouncer]
}

run "latest_is_no_release" {
  command = plan
  variables {
    image_tag = "latest"
  }
  expect_failures = [var.image_tag]
}
