locals {
  account = data.aws_caller_identity.this.account_id
  assumed_by_tasks = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "arn:aws:ecs:${local.region}:${local.account}:*" }
      }
    }]
  })
  # A value may be one key of a secret, arn:…:secret:name-AbCdEf:password::, which no policy names.
  secret_arns    = sort(distinct([for value in values(var.secrets) : join(":", slice(split(":", value), 0, 7)) if strcontains(value, ":secretsmanager:")]))
  parameter_arns = sort([for value in values(var.secrets) : value if strcontains(value, ":ssm:")])
}

# What the service itself may do: only what is said of it.
resource "aws_iam_role" "task" {
  name                 = local.name
  permissions_boundary = var.permissions_boundary
  assume_role_policy   = local.assumed_by_tasks
}

resource "aws_iam_role_policy" "task" {
  #checkov:skip=CKV_AWS_355:traces alone have no resource to name; a variable refuses it for the rest
  #checkov:skip=CKV_AWS_290:as above
  count  = length(var.statements) + length(local.telemetry_statements) == 0 ? 0 : 1
  name   = "what-it-does"
  role   = aws_iam_role.task.name
  policy = jsonencode({ Version = "2012-10-17", Statement = concat(var.statements, local.telemetry_statements) })
}

# What ECS does to start it: take the image, read its secrets, write its log.
resource "aws_iam_role" "execution" {
  name                 = "${local.name}-start"
  permissions_boundary = var.permissions_boundary
  assume_role_policy   = local.assumed_by_tasks
}

resource "aws_iam_role_policy" "execution" {
  #checkov:skip=CKV_AWS_355:ecr:GetAuthorizationToken is about no resource
  name = "start"
  role = aws_iam_role.execution.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for statement in [
      {
        Sid      = "LogIn"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = ["*"]
      },
      {
        Sid      = "TakeTheImage"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = ["arn:aws:ecr:${local.region}:*:repository/carillon/*"]
      },
      {
        Sid      = "WriteItsLog"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${var.log_group.arn}:*"]
      },
      {
        Sid      = "ReadItsSecrets"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = local.secret_arns
      },
      {
        Sid      = "ReadItsParameters"
        Effect   = "Allow"
        Action   = ["ssm:GetParameters"]
        Resource = local.parameter_arns
      },
      {
        Sid      = "DecryptThem"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = length(var.secrets) == 0 ? [] : [var.kms_key_arn]
      },
    ] : statement if length(statement.Resource) > 0]
  })
}

# What ECS does to move traffic from blue to green.
resource "aws_iam_role" "shift_traffic" {
  count                = var.blue_green == null ? 0 : 1
  name                 = "${local.name}-shift-traffic"
  permissions_boundary = var.permissions_boundary
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "shift_traffic" {
  count      = var.blue_green == null ? 0 : 1
  role       = aws_iam_role.shift_traffic[0].name
  policy_arn = "arn:aws:iam::aws:policy/AmazonECSInfrastructureRolePolicyForLoadBalancers"
}
