# PgBouncer before the database: a thousand clients share a few dozen connections, a transaction at a time.

locals {
  # One transaction pool a role, over all its tasks: together below what PostgreSQL takes.
  pgbouncer_ini = templatefile("${path.module}/pgbouncer.ini", {
    host      = module.database.address
    pool_size = var.pgbouncer.pool_size
  })
}

module "pgbouncer" {
  source               = "../service"
  environment          = var.environment
  name                 = "pgbouncer"
  cluster              = { arn = aws_ecs_cluster.this.arn, name = aws_ecs_cluster.this.name }
  image                = local.images["pgbouncer"]
  user                 = "65534"
  entry_point          = ["bash", "-c", file("${path.module}/pgbouncer.sh")]
  health_command       = ["CMD", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/6432"]
  cpu                  = 256
  memory               = 512
  port                 = 6432
  variables            = { PGBOUNCER_INI = local.pgbouncer_ini }
  scaling              = { least = var.pgbouncer.least, most = var.pgbouncer.most }
  capacity_provider    = "FARGATE" # every service goes through it
  discovery            = { namespace_id = aws_service_discovery_private_dns_namespace.this.id }
  vpc_id               = module.network.vpc_id
  subnets              = module.network.private_subnets
  reached_groups       = { database = { group = module.database.security_group, port = 5432 } }
  log_group            = module.observability.log_groups["pgbouncer"]
  kms_key_arn          = module.key.arn
  permissions_boundary = local.boundary

  allowed_groups = merge(
    { for name, service in module.service : name => service.security_group },
    { for name, function in module.function : name => function.security_group },
  )
  secrets = merge(
    { for service, arn in module.database.role_secrets : "PASSWORD_OF_carillon_${replace(service, "-", "_")}" => "${arn}:password::" },
    { for part in ["key", "certificate"] : "TLS_${part}" => "${aws_secretsmanager_secret.shared["pgbouncer-certificate"].arn}:${part}::" },
  )
}
