# A consumer in an account of its own: a queue, its dead-letter queues, and a raw subscription to each topic it wants.
# Carillon has only to list the account in `subscriber_accounts`; nothing else of it changes.

data "aws_caller_identity" "this" {}
data "aws_region" "this" {}

locals {
  # The name of a topic is the last part of its ARN.
  topics    = { for arn in var.topic_arns : reverse(split(":", arn))[0] => arn }
  queue_arn = "arn:aws:sqs:${data.aws_region.this.region}:${data.aws_caller_identity.this.account_id}:${var.name}"
}

resource "aws_sqs_queue" "this" {
  name                       = var.name
  visibility_timeout_seconds = var.visibility_seconds
  message_retention_seconds  = var.retention_seconds
  receive_wait_time_seconds  = 20
  kms_master_key_id          = aws_kms_key.this.arn
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = var.max_receives
  })
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-dlq"
  message_retention_seconds = 1209600 # 14 days, the most SQS allows
  kms_master_key_id         = aws_kms_key.this.arn
}

resource "aws_sqs_queue" "undelivered" {
  name                      = "${var.name}-undelivered-dlq"
  message_retention_seconds = 1209600
  kms_master_key_id         = aws_kms_key.this.arn
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local.queue_arn]
  })
}

resource "aws_sns_topic_subscription" "this" {
  for_each             = local.topics
  topic_arn            = each.value
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.this.arn
  raw_message_delivery = true
  filter_policy        = var.filter_policy == null ? null : jsonencode(var.filter_policy)
  filter_policy_scope  = var.filter_policy == null ? null : var.filter_policy_scope
  redrive_policy       = jsonencode({ deadLetterTargetArn = aws_sqs_queue.undelivered.arn })
  depends_on           = [aws_sqs_queue_policy.this]
}
