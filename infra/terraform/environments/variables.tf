# What differs between the accounts that environments are in, rather than between environments. A link to this file is
# in each; values come from its terraform.tfvars, or as TF_VAR_… from the pipeline.

variable "region" {
  description = "AWS region."
  type        = string
  default     = "eu-west-1"
}

variable "registry" {
  description = "ECR registry of the images, as 123456789012.dkr.ecr.eu-west-1.amazonaws.com."
  type        = string
}

variable "image_tag" {
  description = "Tag of the release: one for all images."
  type        = string
}

variable "domain_name" {
  description = "Name that the API is called by, as api.dev.carillon.example."
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
  description = "Where webhooks go while no endpoint is registered."
  type        = string
}

variable "alarm_addresses" {
  description = "Who hears of alarms, by page, escalate and warn: e-mail addresses, or https URLs of a pager."
  type        = map(list(string))
  default     = {}
}

variable "subscriber_accounts" {
  description = "Other AWS accounts that may subscribe queues of theirs."
  type        = set(string)
  default     = []
}
