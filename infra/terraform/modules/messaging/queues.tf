resource "aws_sqs_queue" "this" {
  for_each                   = local.queues
  name                       = "${local.prefix}-${each.key}"
  visibility_timeout_seconds = lookup(var.visibility_seconds, each.key, each.value.visibilitySeconds)
  message_retention_seconds  = each.value.retentionSeconds
  receive_wait_time_seconds  = 20
  kms_master_key_id          = var.kms_key_arn
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters[each.key].arn
    maxReceiveCount     = each.value.maxReceives
  })
}

# What consumers could not handle.
resource "aws_sqs_queue" "dead_letters" {
  for_each                  = local.queues
  name                      = "${local.prefix}-${each.key}-dlq"
  message_retention_seconds = local.topology.deadLetter.retentionSeconds
  receive_wait_time_seconds = 20
  kms_master_key_id         = var.kms_key_arn
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_letters" {
  for_each  = local.queues
  queue_url = aws_sqs_queue.dead_letters[each.key].id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local.queue_arns[each.key]]
  })
}

# What SNS could not deliver to the queue.
resource "aws_sqs_queue" "undelivered" {
  for_each                  = local.queues
  name                      = "${local.prefix}-${each.key}-undelivered-dlq"
  message_retention_seconds = local.topology.deadLetter.retentionSeconds
  receive_wait_time_seconds = 20
  kms_master_key_id         = var.kms_key_arn
}

# An undelivered queue is the last stop of subscriptions, not of another queue.
resource "aws_sqs_queue_redrive_allow_policy" "undelivered" {
  for_each             = local.queues
  queue_url            = aws_sqs_queue.undelivered[each.key].id
  redrive_allow_policy = jsonencode({ redrivePermission = "denyAll" })
}
