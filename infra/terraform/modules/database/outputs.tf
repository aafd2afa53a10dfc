output "address" {
  description = "Host of the primary."
  value       = aws_db_instance.primary.address
}

output "reader_addresses" {
  description = "Hosts of the readers."
  value       = [for reader in aws_db_instance.reader : reader.address]
}

output "identifiers" {
  description = "Identifiers by which CloudWatch knows the instances: the primary, then the readers."
  value       = concat([aws_db_instance.primary.identifier], [for reader in aws_db_instance.reader : reader.identifier])
}

output "security_group" {
  description = "Security group of the database."
  value       = aws_security_group.this.id
}

output "role_secrets" {
  description = "ARN of each service's secret; its key `password` is what PGPASSWORD is."
  value       = { for service, secret in aws_secretsmanager_secret.role : service => secret.arn }
  depends_on  = [aws_secretsmanager_secret_rotation.role] # before it, there is no password
}

output "owner_secret" {
  description = "ARN of the owner's secret, for migrations."
  value       = local.owner_secret
}
