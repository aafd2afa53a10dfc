output "url" {
  description = "Where the API is."
  value       = module.system.url
}

output "migrate" {
  description = "What `aws ecs run-task` needs to migrate the database."
  value       = module.system.migrate
}

output "topic_arns" {
  description = "Topics to subscribe to, by the name that the topology has for each."
  value       = module.system.topic_arns
}

output "image_tag" {
  description = "The release that it runs: where a pipeline goes back to."
  value       = var.image_tag
}
