locals {
  secret_arns = sort(distinct([
    for value in values(var.secrets) : join(":", slice(split(":", value), 0, 7)) if strcontains(value, ":secretsmanager:")
  ]))
  parameter_arns = sort([for value in values(var.secrets) : value if strcontains(value, ":ssm:")])
}

resource "aws_iam_role" "this" {
  name                 = local.name
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

resource "aws_iam_role_policy" "this" {
  #checkov:skip=CKV_AWS_355:a function in a VPC makes network interfaces, which have no name beforehand
  #checkov:skip=CKV_AWS_290:as above
  name = "what-it-does"
  role = aws_iam_role.this.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(var.statements, [for statement in [
      {
        Sid      = "ReadItsSecrets"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = local.secret_arns
      },
      {
        Sid      = "ReadItsParameters"
        Effect   = "Allow"
        Action   = ["ssm:GetParameter"]
        Resource = local.parameter_arns
      },
      {
        Sid      = "DecryptThem"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = length(var.secrets) == 0 ? [] : [var.kms_key_arn]
      },
      {
        Sid      = "WriteItsLog"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${var.log_group.arn}:*"]
      },
      {
        Sid    = "BeInTheVpcAndTraced"
        Effect = "Allow"
        Action = [
          "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface",
          "ec2:DescribeSubnets", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
          "xray:PutTraceSegments", "xray:PutTelemetryRecords",
        ]
        Resource = ["*"]
      },
    ] : statement if length(statement.Resource) > 0])
  })
}

resource "aws_security_group" "this" {
  name        = local.name
  description = "Lambda ${local.name}"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "to" {
  for_each                     = var.reached_groups
  security_group_id            = aws_security_group.this.id
  description                  = "To ${each.key}"
  referenced_security_group_id = each.value.group
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "out" {
  security_group_id = aws_security_group.this.id
  description       = var.calls_any_port ? "Endpoints of webhooks, and AWS" : "AWS, by HTTPS"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = var.calls_any_port ? 1 : 443
  to_port           = var.calls_any_port ? 65535 : 443
}
