variable "environment" {
  description = "Name of the environment, as in CARILLON_ENV."
  type        = string
}

variable "domain_name" {
  description = "Name that the API is called by, as api.carillon.example."
  type        = string
  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.domain_name))
    error_message = "domain_name is a host name, such as api.carillon.example."
  }
}

variable "zone_id" {
  description = "Route 53 zone of that name."
  type        = string
}

variable "openapi_file" {
  description = "Path of contracts/openapi.json, whose paths are what can be called."
  type        = string
}

variable "jwt_issuer" {
  description = "Issuer of tokens; it publishes its keys under /.well-known/openid-configuration."
  type        = string
  validation {
    condition     = startswith(var.jwt_issuer, "https://")
    error_message = "jwt_issuer is an https URL."
  }
}

variable "jwt_audience" {
  description = "Audience that tokens are for."
  type        = string
}

variable "cors_origins" {
  description = "Origins whose pages may call the API from a browser."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for origin in var.cors_origins : startswith(origin, "https://")])
    error_message = "cors_origins are https origins, such as https://app.example.com."
  }
}

variable "requests_per_second" {
  description = "Requests a second, sustained, over all clients."
  type        = number
  default     = 500
}

variable "requests_at_once" {
  description = "Requests at once after a pause."
  type        = number
  default     = 1000
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnets" {
  description = "Private subnets."
  type        = list(string)
}

variable "port" {
  description = "Port of the API's tasks."
  type        = number
  default     = 8000
}

variable "api_group" {
  description = "Security group of the API's tasks."
  type        = string
}

variable "deletion_protection" {
  description = "Whether to refuse deletion of the load balancer."
  type        = bool
}

variable "kms_key_arn" {
  description = "Key of the access log."
  type        = string
}
