# Built as production is, at half the size: what a release does here it does there.

module "system" {
  source      = "../../modules/system"
  environment = "staging"

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

  cidr            = "10.21.0.0/16"
  in_every_zone   = false
  protected       = true
  expects_traffic = false
  traced_share    = 1
  bake_minutes    = 5
  budget_usd      = 700

  database = {
    instance_class = "db.r6g.large", multi_az = true, readers = 1, storage_gb = 100, max_connections = 200
  }
  pgbouncer = { pool_size = 15, least = 2, most = 2 }
  sizes = {
    for service in ["user-api", "scheduler", "dispatcher", "webhook-worker"] :
    service => { cpu = 512, memory = 1024, least = 2, most = 4 }
  }
}
