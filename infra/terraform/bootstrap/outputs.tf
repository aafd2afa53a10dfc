output "state_bucket" {
  description = "For `terraform init -backend-config=bucket=…`."
  value       = local.bucket
}

output "deploy_role" {
  description = "ARN of the pipeline's role."
  value       = aws_iam_role.deploy.arn
}

output "registry" {
  description = "Where images are pushed."
  value       = split("/", aws_ecr_repository.image["scheduler"].repository_url)[0]
}
