output "url" {
  description = "Where the API is."
  value       = module.edge.url
}

output "migrate" {
  description = "What `aws ecs run-task` needs to migrate the database."
  value = {
    cluster         = aws_ecs_cluster.this.name
    task_definition = module.migrate.task_definition
    subnets         = module.network.private_subnets
    security_groups = [module.migrate.security_group]
  }
}

output "topic_arns" {
  description = "Topics to subscribe to, by the name that the topology has for each."
  value       = module.messaging.topic_arns
}

output "statements" {
  description = "What each service may do in AWS."
  value       = local.statements
}

output "queues" {
  description = "Queues by their name in the topology."
  value       = module.messaging.queues
}

output "size" {
  description = "How large it is."
  value = {
    compute  = var.compute
    database = join(", ", compact([var.database.instance_class, "${var.database.storage_gb} GB", var.database.iops == null ? "" : "${var.database.iops} IOPS"]))
    multi_az = var.database.multi_az
    readers  = length(module.database.reader_addresses)
    tasks    = { for service, size in var.sizes : service => "${size.least}-${size.most}" }
    zones    = var.in_every_zone ? 3 : 1 # with NAT and endpoints of their own
  }
}
