# For a million users: 25,000 occurrences an hour at the peak, in three zones.

module "system" {
  source      = "../../modules/system"
  environment = "production"

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

  cidr            = "10.22.0.0/16"
  in_every_zone   = true
  protected       = true
  expects_traffic = true
  traced_share    = 0.1
  bake_minutes    = 10
  budget_usd      = 1600

  database = {
    instance_class = "db.r6g.xlarge", multi_az = true, readers = 2, storage_gb = 500, iops = 12000, max_connections = 400
  }
  pgbouncer = { pool_size = 25, least = 2, most = 3 }
  sizes = {
    user-api   = { cpu = 1024, memory = 2048, least = 3, most = 10 }
    scheduler  = { cpu = 1024, memory = 2048, least = 3, most = 10, schedules = local.before_new_year }
    dispatcher = { cpu = 1024, memory = 2048, least = 3, most = 10, schedules = local.before_new_year }
    # Most birthdays ring at 09:00, and 09:00 comes to most users between 23:00 (Auckland) and 17:00 UTC (Los Angeles).
    webhook-worker = { cpu = 1024, memory = 2048, least = 3, most = 10, schedules = merge(local.before_new_year, local.by_day) }
  }
}

locals {
  # January 1 is the birthday of whoever's is not known: several times as many as on any other day. It begins in UTC+14.
  before_new_year = {
    new-year-begins = { cron = "cron(30 18 31 12 ? *)", least = 8 }
    new-year-ends   = { cron = "cron(0 20 1 1 ? *)", least = 3 }
  }
  by_day = {
    day-begins = { cron = "cron(45 5 * * ? *)", least = 5 }
    day-ends   = { cron = "cron(0 18 * * ? *)", least = 3 }
  }
}
