variable "environment" {
  description = "Name of the environment, as in CARILLON_ENV."
  type        = string
}

variable "name" {
  description = "Name of the function, as webhook-worker-critical."
  type        = string
}

variable "image" {
  description = "Image with its tag, in ECR."
  type        = string
}

variable "handler" {
  description = "Module and function that Lambda calls, as scheduler.lambda_handler.handler."
  type        = string
}

variable "memory" {
  description = "Memory in MB; CPU comes with it."
  type        = number
}

variable "timeout_seconds" {
  description = "How long one call may take."
  type        = number
  validation {
    condition     = var.timeout_seconds > 0 && var.timeout_seconds <= 900
    error_message = "timeout_seconds is at most 900."
  }
}

variable "reserved_concurrency" {
  description = "Calls at once that are kept for it, and the most that it has; -1 for what others leave."
  type        = number
  default     = -1
}

variable "provisioned_concurrency" {
  description = "Instances that are kept warm."
  type        = number
  default     = 0
}

variable "queue" {
  description = "Queue whose messages call it: ARN, messages a call, calls at once; null for none."
  type        = object({ arn = string, batch = number, most_at_once = number })
  default     = null
  validation {
    condition     = try(var.queue.most_at_once >= 2, var.queue == null)
    error_message = "most_at_once is at least 2, as Lambda has it."
  }
}

variable "every_minute" {
  description = "Whether the clock calls it every minute."
  type        = bool
  default     = false
}

variable "variables" {
  description = "Its environment, none of it secret."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Its secret environment: by name, the ARN of a secret (with :key:: for one key of it) or of a parameter."
  type        = map(string)
  default     = {}
}

variable "statements" {
  description = "Statements of its role: what it may do in AWS."
  type        = list(object({ Sid = string, Effect = string, Action = list(string), Resource = list(string) }))
  default     = []
  validation {
    condition = alltrue(flatten([
      for statement in var.statements : [for word in concat(statement.Action, statement.Resource) : !strcontains(word, "*")]
    ]))
    error_message = "statements name their actions and resources, without *."
  }
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnets" {
  description = "Private subnets."
  type        = list(string)
}

variable "reached_groups" {
  description = "Security groups that it connects to, with their port."
  type        = map(object({ group = string, port = number }))
  default     = {}
}

variable "calls_any_port" {
  description = "Whether it calls any TCP port of the Internet; else HTTPS alone."
  type        = bool
  default     = false
}

variable "log_group" {
  description = "Where its log goes."
  type        = object({ name = string, arn = string })
}

variable "kms_key_arn" {
  description = "Key of its environment and secrets."
  type        = string
}

variable "permissions_boundary" {
  description = "ARN of the policy that bounds every role made here."
  type        = string
}
