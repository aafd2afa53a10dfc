mock_provider "aws" {
  source          = "../../tests/mocks"
  override_during = plan
}

variables {
  environment = "dev"
}

run "a_key_that_rotates_and_serves_this_account_alone" {
  command = plan

  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "the key rotates every year"
  }
  assert {
    condition     = aws_kms_alias.this.name == "alias/carillon-dev"
    error_message = "the alias names the environment"
  }
  assert {
    condition = alltrue([
      for statement in jsondecode(aws_kms_key.this.policy).Statement :
      can(statement.Condition) || statement.Principal == { AWS = "arn:aws:iam::123456789012:root" }
    ])
    error_message = "nobody but this account's own roles has the key without a condition"
  }
  assert {
    condition = alltrue([
      for statement in jsondecode(aws_kms_key.this.policy).Statement : statement.Principal != "*"
    ])
    error_message = "the key is nobody else's"
  }
}

run "an_environment_has_a_name_that_resources_may_have" {
  command = plan
  variables {
    environment = "Dev_1"
  }
  expect_failures = [var.environment]
}
