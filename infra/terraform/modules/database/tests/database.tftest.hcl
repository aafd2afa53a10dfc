mock_provider "aws" {
  source          = "../../tests/mocks"
  override_during = plan
}

variables {
  environment          = "production"
  vpc_id               = "vpc-1"
  subnets              = ["subnet-1", "subnet-2", "subnet-3"]
  service_subnets      = ["subnet-4", "subnet-5", "subnet-6"]
  allowed_groups       = { pgbouncer = "sg-1", migrate = "sg-2" }
  services             = ["user-api", "scheduler", "dispatcher", "webhook-worker"]
  restarted            = ["user-api", "pgbouncer"]
  cluster_name         = "carillon-production"
  rotation_image       = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/carillon/scheduler:1"
  instance_class       = "db.r6g.xlarge"
  multi_az             = true
  readers              = 2
  storage_gb           = 500
  iops                 = 12000
  max_connections      = 400
  deletion_protection  = true
  kms_key_arn          = "arn:aws:kms:eu-west-1:123456789012:key/11111111-1111-1111-1111-111111111111"
  permissions_boundary = "arn:aws:iam::123456789012:policy/carillon-production-boundary"
}

run "it_outlives_a_zone_and_a_mistake" {
  command = plan

  assert {
    condition     = aws_db_instance.primary.multi_az
    error_message = "a standby in another zone"
  }
  assert {
    condition     = aws_db_instance.primary.backup_retention_period == 7
    error_message = "seven days of backups with point-in-time recovery"
  }
  assert {
    condition     = aws_db_instance.primary.deletion_protection && !aws_db_instance.primary.skip_final_snapshot
    error_message = "it is not deleted by mistake, nor without a last snapshot"
  }
  assert {
    condition     = length(aws_db_instance.reader) == 2
    error_message = "two readers"
  }
  assert {
    condition     = aws_db_instance.primary.allocated_storage == 500 && aws_db_instance.primary.iops == 12000
    error_message = "500 GB of gp3 with 12,000 IOPS"
  }
}

run "everything_at_rest_is_encrypted_with_our_key" {
  command = plan

  assert {
    condition = alltrue([
      for instance in concat([aws_db_instance.primary], values(aws_db_instance.reader)) :
      instance.storage_encrypted && instance.kms_key_id == var.kms_key_arn
    ])
    error_message = "storage"
  }
  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.role : secret.kms_key_id == var.kms_key_arn])
    error_message = "secrets"
  }
  assert {
    condition     = aws_db_instance.primary.master_user_secret_kms_key_id == var.kms_key_arn
    error_message = "the owner's secret"
  }
}

run "only_tls_of_1_2_or_newer" {
  command = plan

  assert {
    condition     = one([for parameter in aws_db_parameter_group.this.parameter : parameter.value if parameter.name == "rds.force_ssl"]) == "1"
    error_message = "connections without TLS are refused"
  }
  assert {
    condition     = one([for parameter in aws_db_parameter_group.this.parameter : parameter.value if parameter.name == "ssl_min_protocol_version"]) == "TLSv1.2"
    error_message = "TLS older than 1.2 is refused"
  }
  assert {
    condition = alltrue([
      for instance in concat([aws_db_instance.primary], values(aws_db_instance.reader)) :
      instance.parameter_group_name == aws_db_parameter_group.this.name
    ])
    error_message = "of readers too"
  }
}

run "nothing_is_public" {
  command = plan

  assert {
    condition = alltrue([
      for instance in concat([aws_db_instance.primary], values(aws_db_instance.reader)) : !instance.publicly_accessible
    ])
    error_message = "no instance has a public address"
  }
  assert {
    condition = alltrue([
      for rule in aws_vpc_security_group_ingress_rule.from : rule.from_port == 5432 && rule.cidr_ipv4 == null
    ])
    error_message = "PostgreSQL's port, from named groups alone"
  }
  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.from)) == toset(["pgbouncer", "migrate"])
    error_message = "PgBouncer and migrations connect, no service does"
  }
}

run "a_role_and_a_rotated_secret_a_service" {
  command = plan

  assert {
    condition = local.roles == {
      user-api       = "carillon_user_api"
      scheduler      = "carillon_scheduler"
      dispatcher     = "carillon_dispatcher"
      webhook-worker = "carillon_webhook_worker"
    }
    error_message = "the roles are those of the migrations"
  }
  assert {
    condition     = keys(aws_secretsmanager_secret_rotation.role) == keys(local.roles)
    error_message = "every secret rotates"
  }
  assert {
    condition = alltrue([
      for rotation in aws_secretsmanager_secret_rotation.role :
      rotation.rotation_rules[0].automatically_after_days == 30 && rotation.rotate_immediately
    ])
    error_message = "monthly, and at once: the first rotation makes the password"
  }
  assert {
    condition     = alltrue([for version in aws_secretsmanager_secret_version.role : version.secret_string == null])
    error_message = "no state holds a secret"
  }
  assert {
    condition     = aws_db_instance.primary.manage_master_user_password && aws_db_instance.primary.password == null
    error_message = "RDS keeps the owner's password"
  }
}

run "the_rotation_may_touch_these_secrets_and_these_services_alone" {
  command = plan

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.rotate.policy).Statement : statement.Sid
      if contains(statement.Resource, "*")
    ] == ["BeInTheVpc"]
    error_message = "only network interfaces and traces have no resource"
  }
  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.rotate.policy).Statement :
      alltrue([for action in statement.Action : !strcontains(action, "*")])
    ])
    error_message = "every action is named"
  }
  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.rotate.policy).Statement : statement.Resource
      if statement.Sid == "StartServicesAnew"
    ] == [["arn:aws:ecs:eu-west-1:123456789012:service/carillon-production/*"]]
    error_message = "services of this cluster alone"
  }
  assert {
    condition     = aws_lambda_function.rotate.environment[0].variables.ECS_SERVICES == "carillon-production-user-api,carillon-production-pgbouncer"
    error_message = "those that have the password from their start"
  }
  assert {
    condition     = aws_lambda_permission.rotate.principal == "secretsmanager.amazonaws.com"
    error_message = "Secrets Manager alone calls it"
  }
  assert {
    condition     = aws_lambda_permission.rotate.source_account == "123456789012"
    error_message = "for this account"
  }
}

run "a_small_one_is_small" {
  command = plan
  variables {
    environment         = "dev"
    instance_class      = "db.t3.micro"
    multi_az            = false
    readers             = 0
    storage_gb          = 20
    iops                = null
    deletion_protection = false
  }

  assert {
    condition     = length(aws_db_instance.reader) == 0 && !aws_db_instance.primary.multi_az
    error_message = "one instance"
  }
  assert {
    condition     = aws_db_instance.primary.backup_retention_period == 7 && aws_db_instance.primary.storage_encrypted
    error_message = "backed up and encrypted as the large one"
  }
}

run "iops_that_rds_would_refuse_are_refused_here" {
  command = plan
  variables {
    storage_gb = 100
  }
  expect_failures = [var.iops]
}

run "postgresql_14_is_too_old" {
  command = plan
  variables {
    engine_version = "14"
  }
  expect_failures = [var.engine_version]
}
