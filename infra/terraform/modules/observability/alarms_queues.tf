locals {
  queue_alarms = merge([
    for name, queue in var.queues : merge(
      {
        "${name}-depth-page" = {
          severity   = "page"
          about      = "${queue.name} holds more than ${queue.priority == "critical" ? "1,000" : "10,000"} messages"
          namespace  = "AWS/SQS"
          metric     = "ApproximateNumberOfMessagesVisible"
          dimensions = { QueueName = queue.name }
          stat       = "Maximum"
          threshold  = queue.priority == "critical" ? 1000 : 10000
          periods    = 1
        }
        "${name}-depth-warn" = {
          severity   = "warn"
          about      = "${queue.name} holds more than ${queue.priority == "critical" ? "10" : "5,000"} messages for 5 minutes"
          namespace  = "AWS/SQS"
          metric     = "ApproximateNumberOfMessagesVisible"
          dimensions = { QueueName = queue.name }
          stat       = "Minimum"
          threshold  = queue.priority == "critical" ? 10 : 5000
          periods    = 5
        }
        "${name}-age" = {
          severity   = "warn"
          about      = "The oldest message of ${queue.name} waits for more than 300 s"
          namespace  = "AWS/SQS"
          metric     = "ApproximateAgeOfOldestMessage"
          dimensions = { QueueName = queue.name }
          stat       = "Maximum"
          threshold  = 300
          periods    = 1
        }
      },
      queue.priority != "critical" ? {} : {
        "${name}-depth-escalate" = {
          severity   = "escalate"
          about      = "${queue.name} holds more than 500 messages"
          namespace  = "AWS/SQS"
          metric     = "ApproximateNumberOfMessagesVisible"
          dimensions = { QueueName = queue.name }
          stat       = "Maximum"
          threshold  = 500
          periods    = 1
        }
      },
    )
  ]...)

  # In the two dead-letter queues of each queue; the worker takes from there into the database, where they stay open.
  dead_letter_queues = merge([
    for name, queue in var.queues : { (name) = queue.dead_letter_name, "${name}-undelivered" = queue.undelivered_name }
  ]...)
  dead_letter_alarms = merge(
    merge([
      for name, queue in local.dead_letter_queues : {
        "${name}-dead-letters" = {
          severity   = "warn"
          about      = "${queue} holds a dead letter"
          namespace  = "AWS/SQS"
          metric     = "ApproximateNumberOfMessagesVisible"
          dimensions = { QueueName = queue }
          stat       = "Maximum"
          threshold  = 0
          periods    = 1
        }
        "${name}-dead-letters-page" = {
          severity   = "page"
          about      = "${queue} holds more than 100 dead letters"
          namespace  = "AWS/SQS"
          metric     = "ApproximateNumberOfMessagesVisible"
          dimensions = { QueueName = queue }
          stat       = "Maximum"
          threshold  = 100
          periods    = 1
        }
        "${name}-dead-letters-age" = {
          severity   = "warn"
          about      = "${queue} is not emptied: a dead letter is in it for more than an hour"
          namespace  = "AWS/SQS"
          metric     = "ApproximateAgeOfOldestMessage"
          dimensions = { QueueName = queue }
          stat       = "Maximum"
          threshold  = 3600
          periods    = 1
        }
      }
    ]...),
    {
      for severity, threshold in { warn = 0, page = 100 } : "open-dead-letters-${severity}" => {
        severity                        = severity
        about                           = threshold == 0 ? "A dead letter is open in the database" : "More than ${threshold} dead letters of a queue are open in the database"
        namespace                       = local.metrics
        metric                          = "carillon_dead_letters_open"
        dimensions                      = {}
        stat                            = "Maximum"
        threshold                       = threshold
        periods                         = 1
      }
    },
  )
}
