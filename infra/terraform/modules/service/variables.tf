variable "environment" {
  description = "Name of the environment, as in CARILLON_ENV."
  type        = string
}

variable "name" {
  description = "Name of the service, as user-api."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z-]{0,30}$", var.name))
    error_message = "name is lower-case letters and hyphens."
  }
}

variable "cluster" {
  description = "The ECS cluster."
  type        = object({ arn = string, name = string })
}

variable "image" {
  description = "Image with its tag."
  type        = string
  validation {
    condition     = can(regex("[:@][^/]+$", var.image)) && !endswith(var.image, ":latest")
    error_message = "image has a tag or a digest, and not latest: what runs must be known."
  }
}

variable "entry_point" {
  description = "Entry point, where it is another than the image's."
  type        = list(string)
  default     = null
}

variable "command" {
  description = "Command, where it is another than the image's."
  type        = list(string)
  default     = null
}

variable "user" {
  description = "Number of the user it runs as; never root."
  type        = string
  default     = "10001"
  validation {
    condition     = !contains(["", "0", "root"], var.user)
    error_message = "user is not root."
  }
}

variable "cpu" {
  description = "CPU units of a task, 1024 a core."
  type        = number
  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.cpu)
    error_message = "cpu is what Fargate offers: 256, 512, 1024, 2048 or 4096."
  }
}

variable "memory" {
  description = "Memory of a task in MB."
  type        = number
}

variable "port" {
  description = "Port on which it answers."
  type        = number
}

variable "variables" {
  description = "Its environment, none of it secret."
  type        = map(string)
  default     = {}
  validation {
    condition     = alltrue([for name in keys(var.variables) : !can(regex("PASSWORD|SECRET$|_KEYS$", name))])
    error_message = "what is secret belongs into secrets."
  }
}

variable "secrets" {
  description = "Its secret environment: by name, the ARN of a secret (with :key::) or of a parameter."
  type        = map(string)
  default     = {}
}

variable "health_command" {
  description = "Command that tells by its exit whether the container lives."
  type        = list(string)
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

variable "scaling" {
  description = "Tasks: least and most, CPU to keep, queues whose messages count, how many a task, schedules (UTC cron). Null: none run by themselves."
  type = object({
    least            = number
    most             = number
    cpu_percent      = optional(number, 70)
    queues           = optional(list(string), [])
    backlog_per_task = optional(number, 100)
    schedules        = optional(map(object({ cron = string, least = number })), {})
  })
  validation {
    condition     = try(var.scaling.least >= 1 && var.scaling.most >= var.scaling.least, var.scaling == null)
    error_message = "at least one task, and most is not below least."
  }
  validation {
    condition     = try(alltrue([for schedule in values(var.scaling.schedules) : schedule.least <= var.scaling.most]), var.scaling == null)
    error_message = "a schedule's least is not above most."
  }
}

variable "capacity_provider" {
  description = "FARGATE, or FARGATE_SPOT, which AWS may take back with two minutes' notice."
  type        = string
  default     = "FARGATE"
  validation {
    condition     = contains(["FARGATE", "FARGATE_SPOT"], var.capacity_provider)
    error_message = "capacity_provider is FARGATE or FARGATE_SPOT."
  }
}

variable "rollback_alarms" {
  description = "Names of alarms that undo a deployment under way."
  type        = list(string)
  default     = []
}

variable "blue_green" {
  description = "Target groups and listener rules between which traffic moves; null for one without a load balancer."
  type = object({
    blue_target_group_arn  = string
    green_target_group_arn = string
    production_rule_arn    = string
    test_rule_arn          = string
    bake_minutes           = number
  })
  default = null
}

variable "collector" {
  description = "Collector of traces and metrics beside it: image, configuration, log group of the metrics, share traced."
  type        = object({ image = string, configuration = string, log_group_arn = string, traced_share = number })
  default     = null
}

variable "discovery" {
  description = "Cloud Map namespace to be found in; null for one that nobody connects to by name."
  type        = object({ namespace_id = string })
  default     = null
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnets" {
  description = "Private subnets."
  type        = list(string)
}

variable "allowed_groups" {
  description = "Security groups that may connect to its port, by who has them."
  type        = map(string)
  default     = {}
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
  description = "Key of its secrets."
  type        = string
}

variable "permissions_boundary" {
  description = "ARN of the policy that bounds every role made here."
  type        = string
}
