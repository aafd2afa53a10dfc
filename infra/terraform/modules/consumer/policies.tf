resource "aws_sqs_queue_policy" "this" {
  for_each = {
    (local.queue_arn)                    = aws_sqs_queue.this.id
    "${local.queue_arn}-undelivered-dlq" = aws_sqs_queue.undelivered.id
  }
  queue_url = each.value
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "FromTheTopicsItHears"
        Effect    = "Allow"
        Principal = { Service = "sns.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = each.key
        Condition = { ArnEquals = { "aws:SourceArn" = sort(var.topic_arns) } }
      },
      {
        Sid       = "NothingWithoutTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = each.key
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

# A key of its own: SNS encrypts with it what comes from those topics, though they are in another account.
resource "aws_kms_key" "this" {
  description         = "Queues of ${var.name}"
  enable_key_rotation = true
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "RolesOfThisAccountAsTheirPoliciesSay"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.this.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "SnsFromTheTopicsItHears"
        Effect    = "Allow"
        Principal = { Service = "sns.amazonaws.com" }
        Action    = ["kms:GenerateDataKey", "kms:Decrypt"]
        Resource  = "*"
        Condition = { ArnEquals = { "aws:SourceArn" = sort(var.topic_arns) } }
      },
    ]
  })
}
