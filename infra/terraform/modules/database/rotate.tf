# The function that gives a role a new password, as the owner, then starts what uses it anew.

resource "aws_security_group" "rotate" {
  name        = "${local.name}-rotate-password"
  description = "Out to PostgreSQL and to AWS"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "rotate_to_database" {
  security_group_id            = aws_security_group.rotate.id
  description                  = "PostgreSQL"
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_egress_rule" "rotate_to_aws" {
  security_group_id = aws_security_group.rotate.id
  description       = "Secrets Manager, ECS and KMS"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "from_rotate" {
  security_group_id            = aws_security_group.this.id
  description                  = "PostgreSQL from the rotation of passwords"
  referenced_security_group_id = aws_security_group.rotate.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_cloudwatch_log_group" "rotate" {
  #checkov:skip=CKV_AWS_338:seven days of logs, as of every other; CloudTrail's record is kept for a year
  name              = "/carillon/${var.environment}/rotate-password"
  retention_in_days = 7
  kms_key_id        = var.kms_key_arn
}

resource "aws_lambda_function" "rotate" {
  #checkov:skip=CKV_AWS_116:Secrets Manager calls it and tries again by itself; there is no event to keep
  #checkov:skip=CKV_AWS_272:an image, whose digest ECR keeps immutable; code signing is for archives
  #checkov:skip=CKV_AWS_173:its environment holds names and no secret, and is encrypted with our key all the same
  function_name                  = "${local.name}-rotate-password"
  role                           = aws_iam_role.rotate.arn
  package_type                   = "Image"
  image_uri                      = var.rotation_image
  architectures                  = ["arm64"]
  memory_size                    = 512
  timeout                        = 60
  reserved_concurrent_executions = 1
  kms_key_arn                    = var.kms_key_arn

  image_config {
    entry_point = ["python", "-m", "awslambdaric"]
    command     = ["runtime.rotate_password.handler"]
  }

  environment {
    variables = {
      OWNER_SECRET_ARN = local.owner_secret
      ECS_CLUSTER      = var.cluster_name
      ECS_SERVICES     = join(",", [for service in var.restarted : "${local.name}-${service}"])
    }
  }

  vpc_config {
    subnet_ids         = var.service_subnets
    security_group_ids = [aws_security_group.rotate.id]
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.rotate.name
  }

  tracing_config {
    mode = "Active"
  }
}

resource "aws_lambda_permission" "rotate" {
  statement_id   = "SecretsManager"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.rotate.function_name
  principal      = "secretsmanager.amazonaws.com"
  source_account = local.account
}

resource "aws_iam_role" "rotate" {
  name                 = "${local.name}-rotate-password"
  permissions_boundary = var.permissions_boundary
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "rotate" {
  #checkov:skip=CKV_AWS_355:a function in a VPC makes network interfaces, which have no name beforehand
  #checkov:skip=CKV_AWS_290:as above
  name = "rotate-password"
  role = aws_iam_role.rotate.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "TheServicesSecrets"
        Effect = "Allow"
        Action = [
          "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue",
          "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage",
        ]
        Resource = [for secret in aws_secretsmanager_secret.role : secret.arn]
      },
      {
        Sid      = "TheOwnersSecret"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = [local.owner_secret]
      },
      {
        Sid      = "TheirKey"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [var.kms_key_arn]
      },
      {
        Sid      = "StartServicesAnew"
        Effect   = "Allow"
        Action   = ["ecs:UpdateService"]
        Resource = ["arn:aws:ecs:${local.region}:${local.account}:service/${var.cluster_name}/*"]
      },
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.rotate.arn}:*"]
      },
      {
        Sid    = "BeInTheVpc"
        Effect = "Allow"
        Action = [
          "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface",
          "ec2:DescribeSubnets", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
          "xray:PutTraceSegments", "xray:PutTelemetryRecords",
        ]
        Resource = ["*"]
      },
    ]
  })
}

locals {
  owner_secret = aws_db_instance.primary.master_user_secret[0].secret_arn
}
