locals {
  database_host = "pgbouncer.${local.name}.internal:6432"
  # Of every service. The password comes as PGPASSWORD, out of its role's secret.
  variables = {
    for service in local.services : service => {
      CARILLON_ENV             = var.environment
      DATABASE_URL             = "postgres://carillon_${replace(service, "-", "_")}@${local.database_host}/carillon?sslmode=require"
      DATABASE_STATEMENT_CACHE = "0" # PgBouncer, in transaction mode
    }
  }
  aws_variables = { AWS_REGION = local.region, AWS_ACCOUNT_ID = local.account, HEALTH_PORT = "8080" }
  own_variables = {
    user-api = merge(
      {
        API_HOST     = "0.0.0.0"
        API_PORT     = "8000"
        AUTH         = "jwt"
        JWT_ISSUER   = var.jwt.issuer
        JWT_AUDIENCE = var.jwt.audience
        JWKS_URL     = var.jwt.jwks_url
        CORS_ORIGINS = join(",", var.cors_origins)
      },
      var.database.readers == 0 ? {} : {
        DATABASE_REPLICA_URL = "postgres://carillon_user_api@reader.${local.name}.internal:5432/carillon?sslmode=require"
      },
    )
    scheduler      = local.aws_variables
    dispatcher     = local.aws_variables
    webhook-worker = merge(local.aws_variables, { WEBHOOK_ALLOW_NETWORKS = join(",", var.webhook_allow_networks) })
  }

  encryption_keys = { ENCRYPTION_KEYS = aws_secretsmanager_secret.shared["encryption-keys"].arn }
  own_secrets = {
    user-api   = local.encryption_keys
    scheduler  = {}
    dispatcher = {}
    # A container follows the parameter by itself; given as WEBHOOK_URL it would be fixed until the next deployment.
    webhook-worker = merge(
      local.encryption_keys,
      { WEBHOOK_SECRET = aws_secretsmanager_secret.shared["webhook-secret"].arn },
      local.as_lambda ? { WEBHOOK_URL = aws_ssm_parameter.webhook_url.arn } : {},
    )
  }
  secrets = {
    for service in local.services : service =>
    merge({ PGPASSWORD = "${module.database.role_secrets[service]}:password::" }, local.own_secrets[service])
  }

  ports = { for service in local.services : service => service == "user-api" ? 8000 : 8080 }
  # Of its group each reaches PgBouncer, and the API the readers.
  reached = {
    for service in local.services : service => merge(
      { pgbouncer = { group = module.pgbouncer.security_group, port = 6432 } },
      service != "user-api" || var.database.readers == 0 ? {} : { readers = { group = module.database.security_group, port = 5432 } },
    )
  }
  on_ecs = [for service in local.services : service if var.compute == "ecs" || !contains(keys(local.own_queues), service)]
}

module "service" {
  source               = "../service"
  for_each             = toset(local.on_ecs)
  environment          = var.environment
  name                 = each.key
  cluster              = { arn = aws_ecs_cluster.this.arn, name = aws_ecs_cluster.this.name }
  capacity_provider    = var.capacity_provider
  image                = local.images[each.key]
  cpu                  = var.sizes[each.key].cpu
  memory               = var.sizes[each.key].memory
  port                 = local.ports[each.key]
  variables            = { for name, value in merge(local.variables[each.key], local.own_variables[each.key]) : name => value if value != "" }
  secrets              = local.secrets[each.key]
  statements           = local.statements[each.key]
  collector            = local.collector
  rollback_alarms      = module.observability.rollback_alarms[each.key]
  blue_green           = each.key == "user-api" ? merge(module.edge.blue_green, { bake_minutes = var.bake_minutes }) : null
  vpc_id               = module.network.vpc_id
  subnets              = module.network.private_subnets
  allowed_groups       = each.key == "user-api" ? { load-balancer = module.edge.load_balancer_group } : {}
  reached_groups       = local.reached[each.key]
  calls_any_port       = each.key == "webhook-worker"
  log_group            = module.observability.log_groups[each.key]
  kms_key_arn          = module.key.arn
  permissions_boundary = local.boundary

  health_command = ["CMD", "python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:${local.ports[each.key]}/health/live', timeout=3)"]

  scaling = {
    least     = var.sizes[each.key].least
    most      = var.sizes[each.key].most
    queues    = [for name in lookup(local.own_queues, each.key, []) : local.queues[name].name]
    schedules = var.sizes[each.key].schedules
  }
}

# `aws ecs run-task` before each release, straight to PostgreSQL and as its owner.
module "migrate" {
  source               = "../service"
  environment          = var.environment
  name                 = "migrate"
  cluster              = { arn = aws_ecs_cluster.this.arn, name = aws_ecs_cluster.this.name }
  image                = local.images["scheduler"]
  entry_point          = ["python", "-m", "runtime.migrate"]
  health_command       = ["CMD", "true"]
  cpu                  = 256
  memory               = 512
  port                 = 8080
  variables            = { DATABASE_DIRECT_URL = "postgres://carillon_owner@${module.database.address}:5432/carillon?sslmode=require" }
  secrets              = { PGPASSWORD = "${module.database.owner_secret}:password::" }
  scaling              = null
  vpc_id               = module.network.vpc_id
  subnets              = module.network.private_subnets
  reached_groups       = { database = { group = module.database.security_group, port = 5432 } }
  log_group            = module.observability.log_groups["migrate"]
  kms_key_arn          = module.key.arn
  permissions_boundary = local.boundary
}
