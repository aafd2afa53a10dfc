variable "environment" {
  description = "Name of the environment, as GitHub and CARILLON_ENV have it: dev, staging, production."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.environment))
    error_message = "environment is at most 20 lower-case letters, digits and hyphens, a letter first."
  }
}

variable "repository" {
  description = "The GitHub repository that deploys, as owner/name."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.repository))
    error_message = "repository is owner/name, without * or other patterns."
  }
}

variable "region" {
  description = "AWS region."
  type        = string
  default     = "eu-west-1"
}
