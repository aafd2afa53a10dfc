# What each service may do in AWS, from the topology: its own queues, and of topics the dispatcher alone.

locals {
  queues = module.messaging.queues
  # A service's queues are those named after it; a queue of another name has a consumer of its own.
  own_queues = {
    scheduler      = [for name in sort(keys(local.queues)) : name if startswith(name, "scheduler-")]
    webhook-worker = [for name in sort(keys(local.queues)) : name if startswith(name, "webhook-")]
  }
  decrypt = { Sid = "EncryptedMessages", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = [module.key.arn] }

  consume = {
    for service, names in local.own_queues : service => [
      {
        Sid    = "ReceiveFromItsQueues"
        Effect = "Allow"
        Action = [
          "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility",
          "sqs:GetQueueUrl", "sqs:GetQueueAttributes",
        ]
        Resource = [for name in names : local.queues[name].arn]
      },
      {
        Sid      = "DeadLetterWhatNobodyCanRead"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage", "sqs:GetQueueUrl", "sqs:GetQueueAttributes"]
        Resource = [for name in names : local.queues[name].dead_letter_arn]
      },
      local.decrypt,
    ]
  }

  statements = {
    user-api  = [] # it writes rows, and nothing else
    scheduler = local.consume["scheduler"]
    dispatcher = [
      {
        Sid      = "Publish"
        Effect   = "Allow"
        Action   = ["sns:Publish", "sns:GetTopicAttributes"]
        Resource = [for topic in sort(keys(module.messaging.topic_arns)) : module.messaging.topic_arns[topic]]
      },
      local.decrypt,
    ]
    webhook-worker = concat(local.consume["webhook-worker"], [
      {
        Sid    = "TakeDeadLettersOut"
        Effect = "Allow"
        Action = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:GetQueueAttributes"]
        Resource = flatten([
          for name in sort(keys(local.queues)) : [local.queues[name].dead_letter_arn, local.queues[name].undelivered_arn]
        ])
      },
      {
        Sid      = "SendThemBack"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage", "sqs:GetQueueUrl"]
        Resource = [for name in sort(keys(local.queues)) : local.queues[name].arn]
      },
      {
        Sid      = "ReadTheDefaultEndpoint"
        Effect   = "Allow"
        Action   = ["ssm:GetParameter"]
        Resource = ["arn:aws:ssm:${local.region}:${local.account}:parameter/carillon/${var.environment}/webhook-url"]
      },
    ])
  }
}
