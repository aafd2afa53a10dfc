# Secrets that the services share among themselves. Their first values are made while applying and are in no state;
# docs/operations.md says how each is replaced.

ephemeral "random_password" "bytes" {
  for_each = toset(["encryption", "webhook"])
  length   = 32
  special  = true
}

locals {
  first_values = {
    # The first key encrypts, all decrypt: a new one is put before the old.
    encryption-keys = "k1:${base64encode(ephemeral.random_password.bytes["encryption"].result)}"
    # Signs what goes to the default endpoint.
    webhook-secret = "whsec_${base64encode(ephemeral.random_password.bytes["webhook"].result)}"
  }
}

resource "aws_secretsmanager_secret" "shared" {
  #checkov:skip=CKV2_AWS_57:a key is replaced by hand, for what it encrypted must be read on; see docs/operations.md
  for_each                = toset(["encryption-keys", "webhook-secret", "pgbouncer-certificate"])
  name                    = "carillon/${var.environment}/${each.key}"
  kms_key_id              = module.key.arn
  recovery_window_in_days = 7
}

resource "aws_secretsmanager_secret_version" "shared" {
  for_each                 = toset(["encryption-keys", "webhook-secret"])
  secret_id                = aws_secretsmanager_secret.shared[each.key].id
  secret_string_wo         = local.first_values[each.key]
  secret_string_wo_version = 1

  lifecycle {
    ignore_changes = [version_stages] # people put newer ones
  }
}

# Where webhooks go while no endpoint is registered; changed in the Parameter Store, or here.
resource "aws_ssm_parameter" "webhook_url" {
  name        = "/carillon/${var.environment}/webhook-url"
  description = "The default endpoint"
  type        = "SecureString" # partners put secrets into addresses
  key_id      = module.key.arn
  value       = var.webhook_url

  lifecycle {
    ignore_changes = [value]
  }
}

# PgBouncer's own certificate: connections inside the VPC are encrypted too.
resource "tls_private_key" "pgbouncer" {
  algorithm   = "ECDSA"
  ecdsa_curve = "P256"
}

resource "tls_self_signed_cert" "pgbouncer" {
  private_key_pem       = tls_private_key.pgbouncer.private_key_pem
  validity_period_hours = 3 * 365 * 24
  early_renewal_hours   = 90 * 24
  allowed_uses          = ["server_auth", "digital_signature"]
  dns_names             = ["pgbouncer.${local.name}.internal"]
  subject {
    common_name = "pgbouncer.${local.name}.internal"
  }
}

resource "aws_secretsmanager_secret_version" "certificate" {
  secret_id                = aws_secretsmanager_secret.shared["pgbouncer-certificate"].id
  secret_string_wo_version = 1
  secret_string_wo = jsonencode({
    key         = tls_private_key.pgbouncer.private_key_pem
    certificate = tls_self_signed_cert.pgbouncer.cert_pem
  })
}
