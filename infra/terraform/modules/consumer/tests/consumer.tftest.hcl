mock_provider "aws" {
  source          = "../../tests/mocks"
  override_during = plan
}

variables {
  name = "billing-birthdays"
  topic_arns = [
    "arn:aws:sns:eu-west-1:210987654321:carillon-production-birthday-due",
    "arn:aws:sns:eu-west-1:210987654321:carillon-production-user-deleted",
  ]
}

run "it_hears_topics_of_another_account" {
  command = plan

  assert {
    condition = keys(aws_sns_topic_subscription.this) == [
      "carillon-production-birthday-due", "carillon-production-user-deleted",
    ]
    error_message = "a subscription a topic"
  }
  assert {
    condition     = alltrue([for subscription in aws_sns_topic_subscription.this : subscription.raw_message_delivery])
    error_message = "raw, as the services' own"
  }
  assert {
    condition     = alltrue([for subscription in aws_sns_topic_subscription.this : subscription.redrive_policy != null])
    error_message = "what cannot be delivered is kept"
  }
  assert {
    condition     = jsondecode(aws_sqs_queue.this.redrive_policy).maxReceiveCount == 5
    error_message = "what cannot be handled is kept"
  }
}

run "nobody_else_sends_to_it" {
  command = plan

  assert {
    condition = alltrue([
      for policy in aws_sqs_queue_policy.this : [
        for statement in jsondecode(policy.policy).Statement :
        [statement.Principal, statement.Action, toset(statement.Condition.ArnEquals["aws:SourceArn"])]
        if statement.Effect == "Allow"
      ] == [[{ Service = "sns.amazonaws.com" }, "sqs:SendMessage", var.topic_arns]]
    ])
    error_message = "SNS from those topics, and nobody else"
  }
  assert {
    condition = [
      for statement in jsondecode(aws_kms_key.this.policy).Statement :
      toset(statement.Condition.ArnEquals["aws:SourceArn"]) if statement.Sid == "SnsFromTheTopicsItHears"
    ] == [var.topic_arns]
    error_message = "the key serves SNS for those topics alone"
  }
}

run "all_is_encrypted_with_a_key_that_rotates" {
  command = plan

  assert {
    condition = alltrue([
      for queue in [aws_sqs_queue.this, aws_sqs_queue.dead_letters, aws_sqs_queue.undelivered] :
      queue.kms_master_key_id == aws_kms_key.this.arn
    ])
    error_message = "all three queues"
  }
  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "the key rotates"
  }
}

run "its_role_needs_its_own_queues_alone" {
  command = plan

  assert {
    condition = alltrue([
      for statement in jsondecode(output.receive_policy).Statement : alltrue([
        for resource in statement.Resource : !strcontains(resource, "*")
      ])
    ])
    error_message = "every resource is named"
  }
  assert {
    condition     = !strcontains(output.receive_policy, "sns:")
    error_message = "a consumer publishes nothing"
  }
}

run "every_queue_has_an_alarm" {
  command = plan

  assert {
    condition = toset([for alarm in aws_cloudwatch_metric_alarm.dead_letters : alarm.dimensions.QueueName]) == toset([
      aws_sqs_queue.dead_letters.name, aws_sqs_queue.undelivered.name,
    ])
    error_message = "any dead letter is told"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.behind.threshold == 300
    error_message = "falling behind by 5 minutes is told"
  }
}

run "a_filter_may_look_at_the_body" {
  command = plan
  variables {
    filter_policy       = { data = { timezone = [{ prefix = "Europe/" }] } }
    filter_policy_scope = "MessageBody"
  }

  assert {
    condition = alltrue([
      for subscription in aws_sns_topic_subscription.this : subscription.filter_policy_scope == "MessageBody"
    ])
    error_message = "the scope is passed on"
  }
}

run "a_topic_that_is_none_is_refused" {
  command = plan
  variables {
    topic_arns = ["carillon-production-birthday-due"]
  }
  expect_failures = [var.topic_arns]
}
