# With compute = "lambda": the scheduler is a round a minute; the worker has a function for each priority, called by its
# queue, and one for retries, a round a minute.

locals {
  as_lambda = var.compute == "lambda"
  by_priority = {
    critical = { memory = 1024, timeout_seconds = 60, reserved = 100, most_at_once = 20 }
    high     = { memory = 1024, timeout_seconds = 90, reserved = 50, most_at_once = 10 }
    normal   = { memory = 512, timeout_seconds = 120, reserved = 100, most_at_once = 20 }
    low      = { memory = 512, timeout_seconds = 180, reserved = -1, most_at_once = 50 }
  }
  functions = !local.as_lambda ? {} : merge(
    {
      scheduler = {
        service      = "scheduler", memory = 1024, timeout_seconds = 120, reserved = 20, provisioned = 2
        every_minute = true, queue = null, most_at_once = null
      }
      webhook-worker-retries = {
        service      = "webhook-worker", memory = 1024, timeout_seconds = 60, reserved = 2, provisioned = 0
        every_minute = true, queue = null, most_at_once = null
      }
    },
    {
      for priority, size in local.by_priority : "webhook-worker-${priority}" => merge(size, {
        service = "webhook-worker", provisioned = 0, every_minute = false, queue = "webhook-${priority}"
      })
    },
  )
  # By queue: AWS refuses a source whose messages come again before its function is done.
  queue_functions = { for function in local.functions : function.queue => function if function.queue != null }
}

module "function" {
  source                  = "../function"
  for_each                = local.functions
  environment             = var.environment
  name                    = each.key
  image                   = local.images[each.value.service]
  handler                 = "${replace(each.value.service, "-", "_")}.lambda_handler.handler"
  memory                  = each.value.memory
  timeout_seconds         = each.value.timeout_seconds
  reserved_concurrency    = each.value.reserved
  provisioned_concurrency = each.value.provisioned
  every_minute            = each.value.every_minute
  variables               = { for name, value in merge(local.variables[each.value.service], local.own_variables[each.value.service]) : name => value if value != "" && name != "AWS_REGION" }
  secrets                 = local.secrets[each.value.service]
  statements              = local.statements[each.value.service]
  vpc_id                  = module.network.vpc_id
  subnets                 = module.network.private_subnets
  reached_groups          = local.reached[each.value.service]
  calls_any_port          = each.value.service == "webhook-worker"
  log_group               = module.observability.log_groups[each.value.service]
  kms_key_arn             = module.key.arn
  permissions_boundary    = local.boundary

  queue = each.value.queue == null ? null : {
    arn          = local.queues[each.value.queue].arn
    batch        = local.queues[each.value.queue].lambda_batch
    most_at_once = each.value.most_at_once
  }
}
