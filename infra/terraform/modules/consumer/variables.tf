variable "name" {
  description = "Name of the queue, such as billing-birthdays; its dead-letter queues are named after it."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name is at most 64 letters, digits, hyphens and underscores."
  }
}

variable "topic_arns" {
  description = "Topics to hear, in whichever account they are."
  type        = set(string)
  validation {
    condition     = length(var.topic_arns) > 0 && alltrue([for arn in var.topic_arns : can(regex("^arn:aws:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", arn))])
    error_message = "topic_arns are ARNs of SNS topics, at least one."
  }
}

variable "filter_policy" {
  description = "Which messages, such as { priority = [\"critical\"] }; null for all. A change takes SNS up to 15 minutes."
  type        = any
  default     = null
}

variable "filter_policy_scope" {
  description = "What the filter looks at: MessageAttributes or MessageBody."
  type        = string
  default     = "MessageAttributes"
  validation {
    condition     = contains(["MessageAttributes", "MessageBody"], var.filter_policy_scope)
    error_message = "filter_policy_scope is MessageAttributes or MessageBody."
  }
}

variable "visibility_seconds" {
  description = "How long a received message is hidden from other receivers."
  type        = number
  default     = 60
}

variable "retention_seconds" {
  description = "How long a message waits to be handled."
  type        = number
  default     = 345600
}

variable "max_receives" {
  description = "How often a message is received before it is a dead letter."
  type        = number
  default     = 5
}

variable "alarm_topic_arns" {
  description = "Topics of the consumer's own account that its alarms go to."
  type        = list(string)
  default     = []
}
