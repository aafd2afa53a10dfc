variable "environment" {
  description = "Name of the environment, as in CARILLON_ENV: part of every name."
  type        = string
}

variable "topology_file" {
  description = "Path of contracts/topology.yaml."
  type        = string
  validation {
    condition     = can(yamldecode(file(var.topology_file)).queues)
    error_message = "topology_file is a YAML file with queues."
  }
}

variable "publisher_role" {
  description = "Name of the one role that may publish, the dispatcher's."
  type        = string
}

variable "subscriber_accounts" {
  description = "Other AWS accounts that may subscribe queues of theirs, by the consumer module."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for account in var.subscriber_accounts : can(regex("^[0-9]{12}$", account))])
    error_message = "subscriber_accounts are account ids of twelve digits."
  }
}

variable "visibility_seconds" {
  description = "Visibility by queue, where it is another than the topology's: a Lambda's needs six times its timeout."
  type        = map(number)
  default     = {}
}

variable "kms_key_arn" {
  description = "Key of every topic and queue."
  type        = string
}
