mock_provider "aws" {
  source          = "../../tests/mocks"
  override_during = plan
}
mock_provider "tls" {
  override_during = plan
}
# `random` is the real one: it needs no account, and what is ephemeral cannot be mocked.
provider "random" {}

variables {
  registry    = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
  image_tag   = "1.4.0"
  domain_name = "api.carillon.example"
  zone_id     = "Z0123456789ABC"
  jwt         = { issuer = "https://issuer.example", audience = "carillon", jwks_url = "https://issuer.example/keys" }
  webhook_url = "https://hooks.example/carillon"
}

run "production_is_as_large_as_was_decided" {
  command = plan

  assert {
    condition = jsonencode(module.system.size) == jsonencode({
      compute  = "ecs"
      database = "db.r6g.xlarge, 500 GB, 12000 IOPS"
      multi_az = true
      readers  = 2
      tasks    = { dispatcher = "3-10", scheduler = "3-10", user-api = "3-10", webhook-worker = "3-10" }
      zones    = 3
    })
    error_message = "sizes as docs/deployment.md has them"
  }
  assert {
    condition     = module.system.url == "https://api.carillon.example"
    error_message = "it is called by its name"
  }
  assert {
    condition     = alltrue([for topic, arn in module.system.topic_arns : endswith(arn, ":carillon-production-${topic}")])
    error_message = "its names are its own"
  }
}
