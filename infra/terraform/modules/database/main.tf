# PostgreSQL by RDS: Multi-AZ where it matters, readers beside it, TLS alone, encrypted, a backup that goes back to any
# second of the last week.

locals {
  name   = "carillon-${var.environment}"
  family = "postgres${var.engine_version}"
}

resource "aws_db_subnet_group" "this" {
  name       = local.name
  subnet_ids = var.subnets
}

resource "aws_security_group" "this" {
  name        = "${local.name}-database"
  description = "PostgreSQL from those that are named"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "from" {
  for_each                     = var.allowed_groups
  security_group_id            = aws_security_group.this.id
  description                  = "PostgreSQL from ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_db_parameter_group" "this" {
  name   = "${local.name}-${local.family}"
  family = local.family

  dynamic "parameter" {
    for_each = local.parameters
    content {
      name         = parameter.key
      value        = parameter.value.value
      apply_method = parameter.value.when
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "primary" {
  #checkov:skip=CKV2_AWS_69:parameters.tf has rds.force_ssl, which it does not see behind a dynamic block
  identifier             = local.name
  engine                 = "postgres"
  engine_version         = var.engine_version
  instance_class         = var.instance_class
  multi_az               = var.multi_az
  db_name                = "carillon"
  username               = "carillon_owner"
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.this.id]
  parameter_group_name   = aws_db_parameter_group.this.name
  publicly_accessible    = false
  ca_cert_identifier     = "rds-ca-rsa2048-g1"

  # The owner's password is made, kept and rotated weekly by RDS itself; only migrations and rotation use it.
  manage_master_user_password   = true
  master_user_secret_kms_key_id = var.kms_key_arn

  allocated_storage     = var.storage_gb
  max_allocated_storage = 2 * var.storage_gb
  storage_type          = "gp3"
  iops                  = var.iops
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn

  backup_retention_period   = 7 # days, with point-in-time recovery to any second of them
  backup_window             = "02:00-03:00"
  maintenance_window        = "tue:03:30-tue:04:30"
  copy_tags_to_snapshot     = true
  delete_automated_backups  = false
  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = !var.deletion_protection
  final_snapshot_identifier = var.deletion_protection ? "${local.name}-final" : null

  auto_minor_version_upgrade          = true
  iam_database_authentication_enabled = true
  enabled_cloudwatch_logs_exports     = ["postgresql", "upgrade"]
  performance_insights_enabled        = true
  performance_insights_kms_key_id     = var.kms_key_arn
  monitoring_interval                 = 60
  monitoring_role_arn                 = aws_iam_role.monitoring.arn
}

resource "aws_db_instance" "reader" {
  #checkov:skip=CKV2_AWS_69:parameters.tf has rds.force_ssl, which it does not see behind a dynamic block
  #checkov:skip=CKV_AWS_157:a reader's stand-in is the other reader, or the primary; only the primary is Multi-AZ
  for_each               = toset([for place in range(var.readers) : tostring(place + 1)])
  identifier             = "${local.name}-reader-${each.key}"
  replicate_source_db    = aws_db_instance.primary.identifier
  instance_class         = var.reader_instance_class
  vpc_security_group_ids = [aws_security_group.this.id]
  parameter_group_name   = aws_db_parameter_group.this.name
  publicly_accessible    = false
  ca_cert_identifier     = "rds-ca-rsa2048-g1"

  storage_type        = "gp3"
  iops                = var.iops
  storage_encrypted   = true
  kms_key_id          = var.kms_key_arn
  deletion_protection = var.deletion_protection
  skip_final_snapshot = true

  copy_tags_to_snapshot               = true
  auto_minor_version_upgrade          = true
  iam_database_authentication_enabled = true
  enabled_cloudwatch_logs_exports     = ["postgresql", "upgrade"]
  performance_insights_enabled        = true
  performance_insights_kms_key_id     = var.kms_key_arn
  monitoring_interval                 = 60
  monitoring_role_arn                 = aws_iam_role.monitoring.arn
}

resource "aws_iam_role" "monitoring" {
  name                 = "${local.name}-database-monitoring"
  permissions_boundary = var.permissions_boundary
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}
