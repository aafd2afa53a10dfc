variable "environment" {
  description = "Name of the environment, as in CARILLON_ENV: dev, staging, production."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.environment))
    error_message = "environment is at most 20 lower-case letters, digits and hyphens, a letter first."
  }
}

variable "registry" {
  description = "ECR registry of the images, as 123456789012.dkr.ecr.eu-west-1.amazonaws.com."
  type        = string
}

variable "image_tag" {
  description = "Tag of the release: one for all images."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$", var.image_tag)) && var.image_tag != "latest"
    error_message = "image_tag is a tag, and not latest: what runs must be known."
  }
}

variable "topology_file" {
  description = "Path of contracts/topology.yaml."
  type        = string
}

variable "openapi_file" {
  description = "Path of contracts/openapi.json."
  type        = string
}

variable "compute" {
  description = "Where the scheduler and the worker run: ecs, or lambda."
  type        = string
  default     = "ecs"
  validation {
    condition     = contains(["ecs", "lambda"], var.compute)
    error_message = "compute is ecs or lambda."
  }
}

variable "cidr" {
  description = "Addresses of the VPC, a /16."
  type        = string
}

variable "in_every_zone" {
  description = "NAT gateways and endpoints in each zone, rather than in one."
  type        = bool
}

variable "protected" {
  description = "Whether database and load balancer refuse to be deleted."
  type        = bool
}

variable "database" {
  description = "Size of the database: see the database module."
  type = object({
    instance_class        = string
    multi_az              = bool
    readers               = number
    reader_instance_class = optional(string, "db.r6g.large")
    storage_gb            = number
    iops                  = optional(number)
    max_connections       = number
  })
}

variable "pgbouncer" {
  description = "PgBouncer's connections a role and task, and its tasks."
  type        = object({ pool_size = number, least = number, most = number })
  validation {
    # Four roles; the rest is for migrations, rotation and people.
    condition     = 4 * var.pgbouncer.pool_size * var.pgbouncer.most + 20 <= var.database.max_connections
    error_message = "PgBouncer's pools together exceed max_connections less twenty: four roles times pool_size times most."
  }
}

variable "sizes" {
  description = "Size of each service: CPU units, MB, tasks at least and most, schedules."
  type = map(object({
    cpu       = number
    memory    = number
    least     = number
    most      = number
    schedules = optional(map(object({ cron = string, least = number })), {})
  }))
  validation {
    condition     = toset(keys(var.sizes)) == toset(["user-api", "scheduler", "dispatcher", "webhook-worker"])
    error_message = "sizes are of user-api, scheduler, dispatcher and webhook-worker."
  }
}

variable "capacity_provider" {
  description = "FARGATE, or FARGATE_SPOT."
  type        = string
  default     = "FARGATE"
}

variable "bake_minutes" {
  description = "How long a new release of the API has the traffic before the old one goes."
  type        = number
  default     = 10
}

variable "domain_name" {
  description = "Name that the API is called by."
  type        = string
}

variable "zone_id" {
  description = "Route 53 zone of that name."
  type        = string
}

variable "jwt" {
  description = "Whose tokens are taken: issuer, audience, and where the keys are."
  type        = object({ issuer = string, audience = string, jwks_url = string })
}

variable "cors_origins" {
  description = "Origins whose pages may call the API from a browser."
  type        = list(string)
  default     = []
}

variable "webhook_url" {
  description = "First value of the parameter /carillon/{environment}/webhook-url."
  type        = string
  validation {
    condition     = startswith(var.webhook_url, "https://")
    error_message = "webhook_url is an https URL."
  }
}

variable "webhook_allow_networks" {
  description = "Networks beside the public Internet that webhooks may go to."
  type        = list(string)
  default     = []
}

variable "subscriber_accounts" {
  description = "Other AWS accounts that may subscribe queues of theirs."
  type        = set(string)
  default     = []
}

variable "collector_image" {
  description = "The AWS distribution of the OpenTelemetry collector."
  type        = string
  default     = "public.ecr.aws/aws-observability/aws-otel-collector:v0.43.3"
}

variable "traced_share" {
  description = "Share of traces that are kept, 0 to 1."
  type        = number
  validation {
    condition     = var.traced_share >= 0 && var.traced_share <= 1
    error_message = "traced_share is 0 to 1."
  }
}

variable "expects_traffic" {
  description = "Whether an hour in which nothing is emitted pages."
  type        = bool
}

variable "alarm_addresses" {
  description = "Who hears of alarms, by page, escalate and warn."
  type        = map(list(string))
  default     = {}
}

variable "budget_usd" {
  description = "What a month may cost, in US dollars."
  type        = number
}
