variable "environment" {
  description = "Name of the environment, as in CARILLON_ENV."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.environment))
    error_message = "environment is at most 20 lower-case letters, digits and hyphens, a letter first."
  }
}
