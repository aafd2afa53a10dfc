terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
  # The bucket is told by -backend-config, for it is named after the account: see ../../README.md.
  backend "s3" {
    key          = "carillon/staging/terraform.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region
  default_tags {
    tags = { Application = "carillon", Environment = "staging" }
  }
}
