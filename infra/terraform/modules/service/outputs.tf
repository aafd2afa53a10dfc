output "task_definition" {
  description = "Family of its task definition."
  value       = aws_ecs_task_definition.this.family
}

output "security_group" {
  description = "Security group of its tasks."
  value       = aws_security_group.this.id
}

output "task_role" {
  description = "Name of the role that its code has."
  value       = aws_iam_role.task.name
}

output "statements" {
  description = "What that role may do."
  value       = var.statements
}
