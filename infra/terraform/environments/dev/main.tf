# Small: one zone for what costs by the zone, spot tasks, a database that may be deleted.

module "system" {
  source      = "../../modules/system"
  environment = "dev"

  registry            = var.registry
  image_tag           = var.image_tag
  topology_file       = "${path.module}/../../../../contracts/topology.yaml"
  openapi_file        = "${path.module}/../../../../contracts/openapi.json"
  domain_name         = var.domain_name
  zone_id             = var.zone_id
  jwt                 = var.jwt
  cors_origins        = var.cors_origins
  webhook_url         = var.webhook_url
  alarm_addresses     = var.alarm_addresses
  subscriber_accounts = var.subscriber_accounts

  cidr              = "10.20.0.0/16"
  in_every_zone     = false
  protected         = false
  expects_traffic   = false
  traced_share      = 1
  bake_minutes      = 1
  budget_usd        = 250
  capacity_provider = "FARGATE_SPOT"

  database  = { instance_class = "db.t3.micro", multi_az = false, readers = 0, storage_gb = 20, max_connections = 80 }
  pgbouncer = { pool_size = 10, least = 1, most = 1 }
  sizes = {
    for service in ["user-api", "scheduler", "dispatcher", "webhook-worker"] :
    service => { cpu = 256, memory = 512, least = 1, most = 2 }
  }
}
