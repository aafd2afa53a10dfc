# The topology file as topics, queues, dead-letter queues and subscriptions; named as messaging/topology.py names them.

data "aws_caller_identity" "this" {}
data "aws_region" "this" {}

locals {
  account  = data.aws_caller_identity.this.account_id
  region   = data.aws_region.this.region
  prefix   = "carillon-${var.environment}"
  topology = yamldecode(file(var.topology_file))

  topics = toset([for event_type in local.topology.eventTypes : event_type.topic])
  queues = { for name, queue in local.topology.queues : name => merge(local.topology.defaults, queue) }

  # A topic once for each queue that hears it: SNS knows no two subscriptions of one queue to one topic.
  subscriptions = {
    for subscription in flatten([
      for name, queue in local.queues : [
        for subscription in queue.subscriptions : [
          for topic in subscription.topics : {
            queue  = name
            topic  = topic
            filter = try(subscription.filterPolicy, null)
            scope  = try(subscription.filterPolicyScope, "MessageAttributes")
          }
        ]
      ]
    ]) : "${subscription.queue}/${subscription.topic}" => subscription
  }

  # By name rather than by resource, so that policies are known, and can be tested, before anything is made.
  topic_arns = { for topic in local.topics : topic => "arn:aws:sns:${local.region}:${local.account}:${local.prefix}-${topic}" }
  queue_arns = { for name in keys(local.queues) : name => "arn:aws:sqs:${local.region}:${local.account}:${local.prefix}-${name}" }
  heard_arns = {
    for name in keys(local.queues) : name => sort([
      for subscription in local.subscriptions : local.topic_arns[subscription.topic] if subscription.queue == name
    ])
  }
}

resource "aws_sns_topic" "this" {
  for_each          = local.topics
  name              = "${local.prefix}-${each.key}"
  kms_master_key_id = var.kms_key_arn
  signature_version = 2
}

resource "aws_sns_topic_subscription" "this" {
  for_each             = local.subscriptions
  topic_arn            = aws_sns_topic.this[each.value.topic].arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.this[each.value.queue].arn
  raw_message_delivery = true
  filter_policy        = each.value.filter == null ? null : jsonencode(each.value.filter)
  filter_policy_scope  = each.value.filter == null ? null : each.value.scope
  redrive_policy       = jsonencode({ deadLetterTargetArn = aws_sqs_queue.undelivered[each.value.queue].arn })

  # Until the queue lets SNS send, messages would go to the dead-letter queue, and until that does, nowhere.
  depends_on = [aws_sqs_queue_policy.this, aws_sqs_queue_policy.undelivered]
}
