output "topic_arns" {
  description = "ARN of each topic, by the name that the topology has for it."
  value       = local.topic_arns
}

output "queues" {
  description = "Each queue by its name in the topology: ARNs, names in AWS, and its entry there."
  value = {
    for name, queue in local.queues : name => {
      arn                = local.queue_arns[name]
      dead_letter_arn    = "${local.queue_arns[name]}-dlq"
      undelivered_arn    = "${local.queue_arns[name]}-undelivered-dlq"
      name               = "${local.prefix}-${name}"
      dead_letter_name   = "${local.prefix}-${name}-dlq"
      undelivered_name   = "${local.prefix}-${name}-undelivered-dlq"
      priority           = try(queue.priority, null)
      visibility_seconds = aws_sqs_queue.this[name].visibility_timeout_seconds
      # One type for all: a queue without these has Lambda take a batch as others do.
      lambda_batch = try(queue.lambdaBatch, queue.batch)
    }
  }
}
