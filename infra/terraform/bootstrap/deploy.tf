# The role of the pipeline, for runs of this GitHub environment alone: whoever may approve those may deploy.

resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "deploy" {
  #checkov:skip=CKV_AWS_393:both claims are compared for equality, and name one environment of one repository; it reads no jsonencode
  name                 = "${local.name}-deploy"
  max_session_duration = 7200
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = "arn:aws:iam::${local.account}:oidc-provider/token.actions.githubusercontent.com" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
          "token.actions.githubusercontent.com:sub" = "repo:${var.repository}:environment:${var.environment}"
        }
      }
    }]
  })
}

locals {
  role_arns = ["arn:aws:iam::${local.account}:role/${local.name}-*"]
  boundary  = "arn:aws:iam::${local.account}:policy/${local.name}-boundary"
}

resource "aws_iam_role_policy" "deploy" {
  #checkov:skip=CKV_AWS_355:it makes everything of an environment, most of which has no name beforehand
  #checkov:skip=CKV_AWS_290:as above; what it may not do is get more rights than it has
  #checkov:skip=CKV_AWS_289:roles it makes are bounded, and it can change neither the boundary nor itself
  #checkov:skip=CKV_AWS_286:as above
  #checkov:skip=CKV_AWS_287:it reads the secrets' ARNs and never GetSecretValue
  #checkov:skip=CKV_AWS_288:as above
  name = "deploy"
  role = aws_iam_role.deploy.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "MakeAnEnvironment"
        Effect = "Allow"
        Action = [for service in [
          "acm", "apigateway", "application-autoscaling", "budgets", "cloudtrail", "cloudwatch", "ec2", "ecr", "ecs",
          "elasticloadbalancing", "events", "kms", "lambda", "logs", "rds", "route53", "servicediscovery", "sns", "sqs", "ssm",
        ] : "${service}:*"]
        Resource = ["*"]
      },
      {
        Sid    = "ItsSecretsButNotTheirValues"
        Effect = "Allow"
        Action = [
          "secretsmanager:CreateSecret", "secretsmanager:DeleteSecret", "secretsmanager:DescribeSecret",
          "secretsmanager:GetResourcePolicy", "secretsmanager:ListSecretVersionIds", "secretsmanager:PutSecretValue",
          "secretsmanager:RotateSecret", "secretsmanager:CancelRotateSecret", "secretsmanager:TagResource",
          "secretsmanager:UntagResource", "secretsmanager:UpdateSecret", "secretsmanager:UpdateSecretVersionStage",
        ]
        Resource = ["arn:aws:secretsmanager:*:${local.account}:secret:carillon/${var.environment}/*", "arn:aws:secretsmanager:*:${local.account}:secret:rds!*"]
      },
      {
        Sid      = "ItsBuckets"
        Effect   = "Allow"
        Action   = ["s3:*"]
        Resource = ["arn:aws:s3:::${local.name}-*"]
      },
      {
        Sid    = "ItsRoles"
        Effect = "Allow"
        Action = [
          "iam:GetRole", "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies",
          "iam:ListInstanceProfilesForRole", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy",
          "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy",
        ]
        Resource = local.role_arns
      },
      {
        Sid       = "RolesWithinTheBoundary"
        Effect    = "Allow"
        Action    = ["iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary"]
        Resource  = local.role_arns
        Condition = { StringEquals = { "iam:PermissionsBoundary" = local.boundary } }
      },
      {
        Sid      = "GiveThemToServices"
        Effect   = "Allow"
        Action   = ["iam:PassRole"]
        Resource = local.role_arns
        Condition = {
          StringEquals = {
            "iam:PassedToService" = [
              "ecs.amazonaws.com", "ecs-tasks.amazonaws.com", "lambda.amazonaws.com", "monitoring.rds.amazonaws.com",
              "vpc-flow-logs.amazonaws.com",
            ]
          }
        }
      },
      {
        Sid      = "RolesOfAwsServices"
        Effect   = "Allow"
        Action   = ["iam:CreateServiceLinkedRole"]
        Resource = ["arn:aws:iam::${local.account}:role/aws-service-role/*"]
      },
      {
        Sid      = "NeverItself"
        Effect   = "Deny"
        Action   = ["iam:*"]
        Resource = ["arn:aws:iam::${local.account}:role/${local.name}-deploy", local.boundary]
      },
    ]
  })
}

# The most that any role of the environment can do, whatever its own policies say: use, never make; and nothing of IAM.
resource "aws_iam_policy" "boundary" {
  #checkov:skip=CKV_AWS_355:a boundary allows nothing by itself
  #checkov:skip=CKV_AWS_290:as above
  #checkov:skip=CKV_AWS_288:as above
  #checkov:skip=CKV_AWS_289:as above
  #checkov:skip=CKV_AWS_287:as above
  name        = "${local.name}-boundary"
  description = "The most that a role of ${local.name} can do"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "Use"
      Effect = "Allow"
      Action = [
        "ec2:*NetworkInterface*", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups", "ec2:*PrivateIpAddresses",
        "ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer",
        "ecs:UpdateService", "elasticloadbalancing:Describe*", "elasticloadbalancing:Modify*",
        "elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets",
        "kms:Decrypt", "kms:GenerateDataKey", "logs:Create*", "logs:Describe*", "logs:Put*",
        "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage", "sns:GetTopicAttributes", "sns:Publish",
        "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl",
        "sqs:ReceiveMessage", "sqs:SendMessage", "ssm:GetParameter", "ssm:GetParameters",
        "xray:PutTelemetryRecords", "xray:PutTraceSegments",
      ]
      Resource = ["*"]
    }]
  })
}
