locals {
  collector = {
    image         = var.collector_image
    log_group_arn = module.observability.log_groups["metrics"].arn
    traced_share  = var.traced_share
    configuration = templatefile("${path.module}/collector.yaml", {
      region    = local.region
      namespace = module.observability.metrics_namespace
      log_group = module.observability.log_groups["metrics"].name
    })
  }
}
