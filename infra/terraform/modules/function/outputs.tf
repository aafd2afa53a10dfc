output "name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "security_group" {
  description = "Security group of the function."
  value       = aws_security_group.this.id
}
