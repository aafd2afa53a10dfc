# A secret for each service's own role. Terraform writes who and where; the password is made by the first rotation, so
# that it is in no state and no plan.

data "aws_caller_identity" "this" {}
data "aws_region" "this" {}

locals {
  account = data.aws_caller_identity.this.account_id
  region  = data.aws_region.this.region
  # The roles that the migrations make.
  roles = { for service in var.services : service => "carillon_${replace(service, "-", "_")}" }
}

resource "aws_secretsmanager_secret" "role" {
  for_each                = local.roles
  name                    = "carillon/${var.environment}/database/${each.key}"
  description             = "PostgreSQL role ${each.value}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = 7
}

resource "aws_secretsmanager_secret_version" "role" {
  for_each                 = local.roles
  secret_id                = aws_secretsmanager_secret.role[each.key].id
  secret_string_wo_version = 1
  secret_string_wo = jsonencode({
    engine   = "postgres"
    host     = aws_db_instance.primary.address
    port     = 5432
    dbname   = "carillon"
    username = each.value
  })

  lifecycle {
    ignore_changes = [version_stages] # rotation moves them
  }
}

resource "aws_secretsmanager_secret_rotation" "role" {
  for_each            = local.roles
  secret_id           = aws_secretsmanager_secret.role[each.key].id
  rotation_lambda_arn = aws_lambda_function.rotate.arn
  rotate_immediately  = true

  rotation_rules {
    automatically_after_days = 30
    duration                 = "2h"
  }

  depends_on = [aws_secretsmanager_secret_version.role, aws_lambda_permission.rotate, aws_iam_role_policy.rotate]
}
