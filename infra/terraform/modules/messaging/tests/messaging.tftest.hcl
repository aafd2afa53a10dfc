mock_provider "aws" {
  source          = "../../tests/mocks"
  override_during = plan
}

variables {
  environment    = "staging"
  topology_file  = "../../../../contracts/topology.yaml"
  publisher_role = "carillon-staging-dispatcher"
  kms_key_arn    = "arn:aws:kms:eu-west-1:123456789012:key/11111111-1111-1111-1111-111111111111"
}

run "every_queue_has_its_dead_letter_queues" {
  command = plan

  assert {
    condition     = length(aws_sqs_queue.this) > 0 && keys(aws_sqs_queue.this) == keys(aws_sqs_queue.dead_letters)
    error_message = "one for what consumers could not handle"
  }
  assert {
    condition     = keys(aws_sqs_queue.this) == keys(aws_sqs_queue.undelivered)
    error_message = "one for what SNS could not deliver"
  }
  assert {
    condition = alltrue([
      for name, queue in aws_sqs_queue.this :
      jsondecode(queue.redrive_policy).maxReceiveCount == local.queues[name].maxReceives
    ])
    error_message = "a message goes there after the receives of the topology"
  }
  assert {
    condition = alltrue([
      for queue in concat(values(aws_sqs_queue.dead_letters), values(aws_sqs_queue.undelivered)) :
      queue.message_retention_seconds == 1209600
    ])
    error_message = "dead letters are kept for 14 days"
  }
  assert {
    condition = alltrue([
      for name, policy in aws_sqs_queue_redrive_allow_policy.dead_letters :
      jsondecode(policy.redrive_allow_policy).sourceQueueArns == [local.queue_arns[name]]
    ])
    error_message = "a dead-letter queue takes what its own queue sends, and nothing else"
  }
  assert {
    condition     = alltrue([for subscription in aws_sns_topic_subscription.this : subscription.redrive_policy != null])
    error_message = "every subscription has a dead-letter queue"
  }
}

run "messages_come_raw_and_filtered_as_the_topology_says" {
  command = plan

  assert {
    condition     = alltrue([for subscription in aws_sns_topic_subscription.this : subscription.raw_message_delivery])
    error_message = "a consumer reads the CloudEvent and nothing around it"
  }
  assert {
    condition = alltrue([
      for topic in ["birthday-due", "anniversary-due", "reminder-due", "notification-due"] : alltrue([
        for priority in ["critical", "high", "normal", "low"] :
        jsondecode(aws_sns_topic_subscription.this["webhook-${priority}/${topic}"].filter_policy) == { priority = [priority] }
      ])
    ])
    error_message = "each due topic feeds all four webhook queues, by priority"
  }
  assert {
    condition = alltrue([
      for key, subscription in aws_sns_topic_subscription.this :
      (subscription.filter_policy == null) == (local.subscriptions[key].filter == null)
    ])
    error_message = "there is a filter where the topology has one, and only there"
  }
}

run "only_the_dispatcher_publishes" {
  command = plan

  assert {
    condition = alltrue([
      for topic, policy in aws_sns_topic_policy.this : anytrue([
        for statement in jsondecode(policy.policy).Statement : alltrue([
          statement.Effect == "Deny", statement.Principal == "*", statement.Action == "sns:Publish",
          statement.Resource == local.topic_arns[topic],
          try(statement.Condition.ArnNotEquals["aws:PrincipalArn"], "")
          == "arn:aws:iam::123456789012:role/carillon-staging-dispatcher",
        ])
      ])
    ])
    error_message = "every topic refuses everybody but the dispatcher's role"
  }
  assert {
    condition     = toset(keys(aws_sns_topic_policy.this)) == toset(keys(aws_sns_topic.this))
    error_message = "every topic has a policy"
  }
  assert {
    condition = alltrue([
      for policy in aws_sns_topic_policy.this : alltrue([
        for statement in jsondecode(policy.policy).Statement : statement.Effect == "Deny"
      ])
    ])
    error_message = "a topic by itself allows nobody anything"
  }
}

run "nothing_is_public" {
  command = plan

  assert {
    condition = alltrue([
      for name, policy in aws_sqs_queue_policy.this : jsonencode([
        for statement in jsondecode(policy.policy).Statement :
        [statement.Principal, statement.Action, statement.Condition.ArnEquals["aws:SourceArn"]]
        if statement.Effect == "Allow"
      ]) == jsonencode([[{ Service = "sns.amazonaws.com" }, "sqs:SendMessage", local.heard_arns[name]]])
    ])
    error_message = "a queue takes what its own topics send, and from nobody else"
  }
  assert {
    condition = alltrue([
      for name, policy in aws_sqs_queue_policy.undelivered : jsonencode([
        for statement in jsondecode(policy.policy).Statement :
        [statement.Principal, statement.Action, statement.Condition.ArnEquals["aws:SourceArn"]]
        if statement.Effect == "Allow"
      ]) == jsonencode([[{ Service = "sns.amazonaws.com" }, "sqs:SendMessage", local.heard_arns[name]]])
    ])
    error_message = "so does the queue of what was undelivered"
  }
  assert {
    condition = alltrue([
      for policy in aws_sqs_queue_policy.dead_letters : alltrue([
        for statement in jsondecode(policy.policy).Statement : statement.Effect == "Deny"
      ])
    ])
    error_message = "a dead-letter queue by itself allows nobody anything"
  }
  assert {
    condition = alltrue([
      for policy in concat(values(aws_sqs_queue_policy.this), values(aws_sqs_queue_policy.undelivered), values(aws_sqs_queue_policy.dead_letters)) :
      anytrue([
        for statement in jsondecode(policy.policy).Statement :
        statement.Effect == "Deny" && statement.Action == "sqs:*" && try(statement.Condition.Bool["aws:SecureTransport"], "") == "false"
      ])
    ])
    error_message = "no queue is spoken to without TLS"
  }
}

run "all_is_encrypted_with_our_key" {
  command = plan

  assert {
    condition     = alltrue([for topic in aws_sns_topic.this : topic.kms_master_key_id == var.kms_key_arn])
    error_message = "topics"
  }
  assert {
    condition = alltrue([
      for queue in concat(values(aws_sqs_queue.this), values(aws_sqs_queue.dead_letters), values(aws_sqs_queue.undelivered)) :
      queue.kms_master_key_id == var.kms_key_arn
    ])
    error_message = "queues"
  }
}

# `make terraform-test` writes expected.json by messaging/topology.py, the code by which the services find all this.
run "it_is_what_the_services_look_for" {
  command = plan

  assert {
    condition = (
      toset([for topic in aws_sns_topic.this : topic.name]) == toset(jsondecode(file("tests/expected.json")).topics)
    )
    error_message = "topics are named as messaging/topology.py names them"
  }
  assert {
    condition = {
      for queue in concat(values(aws_sqs_queue.this), values(aws_sqs_queue.dead_letters), values(aws_sqs_queue.undelivered)) :
      queue.name => queue.message_retention_seconds
    } == jsondecode(file("tests/expected.json")).retention
    error_message = "queues are named, and keep messages, as messaging/topology.py says"
  }
  assert {
    condition = {
      for queue in aws_sqs_queue.this : queue.name => queue.visibility_timeout_seconds
    } == jsondecode(file("tests/expected.json")).visibility
    error_message = "visibility is that of messaging/topology.py"
  }
  assert {
    condition = {
      for key, subscription in aws_sns_topic_subscription.this : key => try(jsondecode(subscription.filter_policy), {})
    } == jsondecode(file("tests/expected.json")).filters
    error_message = "subscriptions and their filters are those of messaging/topology.py"
  }
}

run "a_lambdas_queue_hides_messages_for_longer" {
  command = plan
  variables {
    visibility_seconds = { webhook-critical = 360 }
  }

  assert {
    condition     = aws_sqs_queue.this["webhook-critical"].visibility_timeout_seconds == 360
    error_message = "six times the timeout of the function"
  }
  assert {
    condition     = aws_sqs_queue.this["webhook-high"].visibility_timeout_seconds == 30
    error_message = "other queues stay as they are"
  }
}

run "other_accounts_may_subscribe_and_no_more" {
  command = plan
  variables {
    subscriber_accounts = ["210987654321"]
  }

  assert {
    condition = alltrue([
      for policy in aws_sns_topic_policy.this : [
        for statement in jsondecode(policy.policy).Statement : statement.Action if statement.Effect == "Allow"
      ] == [["sns:Subscribe", "sns:GetTopicAttributes"]]
    ])
    error_message = "they subscribe, and neither publish nor change a topic"
  }
  assert {
    condition = alltrue([
      for policy in aws_sns_topic_policy.this : [
        for statement in jsondecode(policy.policy).Statement : statement.Principal if statement.Effect == "Allow"
      ] == [{ AWS = ["arn:aws:iam::210987654321:root"] }]
    ])
    error_message = "those that are named, and nobody else"
  }
}

run "an_account_that_is_none_is_refused" {
  command = plan
  variables {
    subscriber_accounts = ["*"]
  }
  expect_failures = [var.subscriber_accounts]
}
