# An environment, whole. Environments differ by what they pass here, and by nothing else.

data "aws_caller_identity" "this" {}
data "aws_region" "this" {}

locals {
  name     = "carillon-${var.environment}"
  account  = data.aws_caller_identity.this.account_id
  region   = data.aws_region.this.region
  boundary = "arn:aws:iam::${local.account}:policy/${local.name}-boundary" # made by ../../bootstrap
  services = ["user-api", "scheduler", "dispatcher", "webhook-worker"]
  images   = { for name in concat(local.services, ["pgbouncer"]) : name => "${var.registry}/carillon/${name}:${var.image_tag}" }
}

module "key" {
  source      = "../key"
  environment = var.environment
}

module "network" {
  source                  = "../network"
  environment             = var.environment
  cidr                    = var.cidr
  nat_in_every_zone       = var.in_every_zone
  endpoints_in_every_zone = var.in_every_zone
  kms_key_arn             = module.key.arn
  permissions_boundary    = local.boundary
}

module "messaging" {
  source              = "../messaging"
  environment         = var.environment
  topology_file       = var.topology_file
  publisher_role      = "${local.name}-dispatcher"
  subscriber_accounts = var.subscriber_accounts
  visibility_seconds  = { for queue, lambda in local.queue_functions : queue => 6 * lambda.timeout_seconds }
  kms_key_arn         = module.key.arn
}

module "database" {
  source                = "../database"
  environment           = var.environment
  vpc_id                = module.network.vpc_id
  subnets               = module.network.isolated_subnets
  service_subnets       = module.network.private_subnets
  services              = toset(local.services)
  restarted             = concat(local.on_ecs, ["pgbouncer"])
  cluster_name          = local.name
  rotation_image        = local.images["scheduler"]
  instance_class        = var.database.instance_class
  multi_az              = var.database.multi_az
  readers               = var.database.readers
  reader_instance_class = var.database.reader_instance_class
  storage_gb            = var.database.storage_gb
  iops                  = var.database.iops
  max_connections       = var.database.max_connections
  deletion_protection   = var.protected
  kms_key_arn           = module.key.arn
  permissions_boundary  = local.boundary

  # The services come through PgBouncer; migrations keep a lock in their session, and readers have no writers to pool.
  allowed_groups = merge(
    { pgbouncer = module.pgbouncer.security_group, migrate = module.migrate.security_group },
    var.database.readers == 0 ? {} : { user-api = module.service["user-api"].security_group },
  )
}

module "edge" {
  source              = "../edge"
  environment         = var.environment
  domain_name         = var.domain_name
  zone_id             = var.zone_id
  openapi_file        = var.openapi_file
  jwt_issuer          = var.jwt.issuer
  jwt_audience        = var.jwt.audience
  cors_origins        = var.cors_origins
  vpc_id              = module.network.vpc_id
  subnets             = module.network.private_subnets
  api_group           = module.service["user-api"].security_group
  deletion_protection = var.protected
  kms_key_arn         = module.key.arn
}

module "observability" {
  source             = "../observability"
  environment        = var.environment
  compute            = var.compute
  services           = toset(local.services)
  functions          = toset(keys(local.functions))
  queues             = module.messaging.queues
  api_id             = module.edge.api_id
  database_instances = module.database.identifiers
  max_connections    = var.database.max_connections
  expects_traffic    = var.expects_traffic
  alarm_addresses    = var.alarm_addresses
  budget_usd         = var.budget_usd
  kms_key_arn        = module.key.arn
}

resource "aws_ecs_cluster" "this" {
  name = local.name
  setting {
    name  = "containerInsights"
    value = "enabled" # scaling on backlog a task, and the alarm on none running, count its tasks
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
}

# Where services find PgBouncer, and the API the readers.
resource "aws_service_discovery_private_dns_namespace" "this" {
  name        = "${local.name}.internal"
  description = "Addresses inside the VPC"
  vpc         = module.network.vpc_id
}

resource "aws_service_discovery_service" "reader" {
  count = var.database.readers == 0 ? 0 : 1
  name  = "reader"
  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.this.id
    routing_policy = "WEIGHTED" # one of them at a time, by turns
    dns_records {
      type = "CNAME"
      ttl  = 10
    }
  }
}

resource "aws_service_discovery_instance" "reader" {
  count       = var.database.readers
  service_id  = aws_service_discovery_service.reader[0].id
  instance_id = "reader-${count.index + 1}"
  attributes  = { AWS_INSTANCE_CNAME = module.database.reader_addresses[count.index] }
}
