variable "environment" {
  description = "Name of the environment, as in CARILLON_ENV."
  type        = string
}

variable "cidr" {
  description = "Addresses of the VPC, a /16 as 10.20.0.0/16: each of nine subnets has a sixteenth of it."
  type        = string
  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]), 0) == 16
    error_message = "cidr is a /16, such as 10.20.0.0/16."
  }
}

variable "nat_in_every_zone" {
  description = "A NAT gateway in each zone, rather than one for all three."
  type        = bool
}

variable "endpoints_in_every_zone" {
  description = "Interface endpoints in each zone, rather than in one."
  type        = bool
}

variable "kms_key_arn" {
  description = "Key that encrypts the flow logs."
  type        = string
}

variable "permissions_boundary" {
  description = "ARN of the policy that bounds every role made here."
  type        = string
}
