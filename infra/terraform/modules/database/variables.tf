variable "environment" {
  description = "Name of the environment, as in CARILLON_ENV."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnets" {
  description = "Subnets of the database, one a zone, with no way out."
  type        = list(string)
  validation {
    condition     = length(var.subnets) >= 2
    error_message = "subnets are at least two, in different zones."
  }
}

variable "service_subnets" {
  description = "Subnets of the function that rotates passwords."
  type        = list(string)
}

variable "allowed_groups" {
  description = "Security groups that may connect, by who has them."
  type        = map(string)
}

variable "services" {
  description = "Services with a role of their own, as user-api."
  type        = set(string)
}

variable "cluster_name" {
  description = "ECS cluster of those services."
  type        = string
}

variable "restarted" {
  description = "Services on ECS that start anew when a password has changed, for they have it from their start."
  type        = list(string)
}

variable "rotation_image" {
  description = "Image with runtime.rotate_password."
  type        = string
}

variable "engine_version" {
  description = "Major version of PostgreSQL; minor ones come by themselves."
  type        = string
  default     = "16"
  validation {
    condition     = try(tonumber(var.engine_version) >= 15, false)
    error_message = "engine_version is a major version from 15 on, such as 16."
  }
}

variable "instance_class" {
  description = "Size of the primary, as db.r6g.xlarge."
  type        = string
  validation {
    condition     = startswith(var.instance_class, "db.")
    error_message = "instance_class begins with db."
  }
}

variable "multi_az" {
  description = "Whether a standby in another zone takes over by itself."
  type        = bool
}

variable "readers" {
  description = "How many readers."
  type        = number
  default     = 0
  validation {
    condition     = var.readers >= 0 && var.readers <= 5
    error_message = "readers are 0 to 5."
  }
}

variable "reader_instance_class" {
  description = "Size of each reader."
  type        = string
  default     = "db.r6g.large"
}

variable "storage_gb" {
  description = "Storage in GB; it grows by itself up to twice as much."
  type        = number
  validation {
    condition     = var.storage_gb >= 20
    error_message = "storage_gb is at least 20."
  }
}

variable "iops" {
  description = "Operations a second; null for what gp3 comes with. RDS takes a number from 400 GB on."
  type        = number
  default     = null
  validation {
    condition     = var.iops == null || var.storage_gb >= 400
    error_message = "iops can be set from 400 GB of storage on."
  }
}

variable "max_connections" {
  description = "Connections that PostgreSQL takes; a db.t3.micro has memory for about a hundred."
  type        = number
}

variable "deletion_protection" {
  description = "Whether to refuse deletion, and to keep a last snapshot."
  type        = bool
}

variable "kms_key_arn" {
  description = "Key of storage, backups, secrets and logs."
  type        = string
}

variable "permissions_boundary" {
  description = "ARN of the policy that bounds every role made here."
  type        = string
}
