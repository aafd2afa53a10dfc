variable "environment" {
  description = "Name of the environment, as in CARILLON_ENV."
  type        = string
}

variable "compute" {
  description = "Where the scheduler and the worker run: ecs or lambda."
  type        = string
  validation {
    condition     = contains(["ecs", "lambda"], var.compute)
    error_message = "compute is ecs or lambda."
  }
}

variable "services" {
  description = "The services, by the name that they have in their log."
  type        = set(string)
}

variable "functions" {
  description = "Names of the functions, where there are any."
  type        = set(string)
  default     = []
}

variable "queues" {
  description = "Each queue by its name in the topology: names in AWS, and its priority."
  type = map(object({
    name             = string
    dead_letter_name = string
    undelivered_name = string
    priority         = optional(string)
  }))
}

variable "api_id" {
  description = "API Gateway's id of the API."
  type        = string
}

variable "database_instances" {
  description = "Identifiers of the database's instances, the primary first."
  type        = list(string)
}

variable "max_connections" {
  description = "Connections that PostgreSQL takes."
  type        = number
}

variable "expects_traffic" {
  description = "Whether an hour in which nothing is emitted is an alarm."
  type        = bool
}

variable "alarm_addresses" {
  description = "Who hears of alarms: e-mail addresses or https URLs (of a pager) by severity: page, escalate, warn."
  type        = map(list(string))
  default     = {}
  validation {
    condition     = length(setsubtract(keys(var.alarm_addresses), ["page", "escalate", "warn"])) == 0
    error_message = "alarm_addresses are by page, escalate and warn."
  }
}

variable "budget_usd" {
  description = "What a month may cost, in US dollars."
  type        = number
  validation {
    condition     = var.budget_usd > 0
    error_message = "budget_usd is more than 0."
  }
}

variable "kms_key_arn" {
  description = "Key of logs, alarms' topics and the trail."
  type        = string
}
