# Who may do what, as the queues and topics see it. What our own roles may do is in their own policies beside this.

locals {
  publisher = "arn:aws:iam::${local.account}:role/${var.publisher_role}"

  # From the topics that it hears, and from nobody else of SNS.
  from_topics = {
    for name in keys(local.queues) : name => {
      Sid       = "FromItsTopics"
      Effect    = "Allow"
      Principal = { Service = "sns.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Condition = { ArnEquals = { "aws:SourceArn" = local.heard_arns[name] } }
    }
  }
  only_tls = {
    Sid       = "NothingWithoutTls"
    Effect    = "Deny"
    Principal = "*"
    Condition = { Bool = { "aws:SecureTransport" = "false" } }
  }
}

resource "aws_sqs_queue_policy" "this" {
  for_each  = local.queues
  queue_url = aws_sqs_queue.this[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      merge(local.from_topics[each.key], { Resource = local.queue_arns[each.key] }),
      merge(local.only_tls, { Action = "sqs:*", Resource = local.queue_arns[each.key] }),
    ]
  })
}

resource "aws_sqs_queue_policy" "undelivered" {
  for_each  = local.queues
  queue_url = aws_sqs_queue.undelivered[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      merge(local.from_topics[each.key], { Resource = "${local.queue_arns[each.key]}-undelivered-dlq" }),
      merge(local.only_tls, { Action = "sqs:*", Resource = "${local.queue_arns[each.key]}-undelivered-dlq" }),
    ]
  })
}

resource "aws_sqs_queue_policy" "dead_letters" {
  for_each  = local.queues
  queue_url = aws_sqs_queue.dead_letters[each.key].id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [merge(local.only_tls, { Action = "sqs:*", Resource = "${local.queue_arns[each.key]}-dlq" })]
  })
}

resource "aws_sns_topic_policy" "this" {
  for_each = local.topics
  arn      = aws_sns_topic.this[each.key].arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          # Whatever another policy allows: the outbox is the only way to a topic.
          Sid       = "OnlyTheDispatcherPublishes"
          Effect    = "Deny"
          Principal = "*"
          Action    = "sns:Publish"
          Resource  = local.topic_arns[each.key]
          Condition = { ArnNotEquals = { "aws:PrincipalArn" = local.publisher } }
        },
        merge(local.only_tls, { Action = "sns:Publish", Resource = local.topic_arns[each.key] }),
      ],
      length(var.subscriber_accounts) == 0 ? [] : [{
        Sid       = "OtherAccountsSubscribeTheirQueues"
        Effect    = "Allow"
        Principal = { AWS = [for account in sort(var.subscriber_accounts) : "arn:aws:iam::${account}:root"] }
        Action    = ["sns:Subscribe", "sns:GetTopicAttributes"]
        Resource  = local.topic_arns[each.key]
        Condition = { StringEqualsIfExists = { "sns:Protocol" = "sqs" } }
      }],
    )
  })
}
