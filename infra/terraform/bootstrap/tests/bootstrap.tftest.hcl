mock_provider "aws" {
  source          = "../tests/mocks"
  override_during = plan
}

variables {
  environment = "production"
  repository  = "carillon/carillon"
}

run "only_runs_of_this_environment_may_deploy" {
  command = plan

  assert {
    condition = jsonencode(jsondecode(aws_iam_role.deploy.assume_role_policy).Statement[0].Condition) == jsonencode({
      StringEquals = {
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub" = "repo:carillon/carillon:environment:production"
      }
    })
    error_message = "the token is for AWS, of this repository and this environment, and not like it but equal"
  }
  assert {
    condition     = aws_iam_role.deploy.name == "carillon-production-deploy"
    error_message = "the pipeline knows the role by its name"
  }
}

run "the_pipeline_cannot_get_more_rights" {
  command = plan

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.deploy.policy).Statement : statement.Condition.StringEquals["iam:PermissionsBoundary"]
      if contains(statement.Action, "iam:CreateRole")
    ] == ["arn:aws:iam::123456789012:policy/carillon-production-boundary"]
    error_message = "a role that it makes is bounded"
  }
  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.deploy.policy).Statement : statement.Resource if statement.Effect == "Deny"
    ] == [["arn:aws:iam::123456789012:role/carillon-production-deploy", "arn:aws:iam::123456789012:policy/carillon-production-boundary"]]
    error_message = "it can change neither itself nor the boundary"
  }
  assert {
    condition = alltrue([
      for action in jsondecode(aws_iam_policy.boundary.policy).Statement[0].Action : !startswith(action, "iam:") && !startswith(action, "sts:")
    ])
    error_message = "no role within the boundary has anything to do with rights"
  }
  assert {
    condition = alltrue(flatten([
      for statement in jsondecode(aws_iam_role_policy.deploy.policy).Statement : [
        for action in statement.Action : action != "secretsmanager:GetSecretValue" && action != "*"
      ]
    ]))
    error_message = "it reads no secret"
  }
}

run "the_state_is_closed_and_kept" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.state.block_public_acls, aws_s3_bucket_public_access_block.state.block_public_policy,
      aws_s3_bucket_public_access_block.state.ignore_public_acls, aws_s3_bucket_public_access_block.state.restrict_public_buckets,
    ])
    error_message = "its bucket is not public"
  }
  assert {
    condition     = aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled"
    error_message = "older states are kept"
  }
  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.state.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms"
    error_message = "it is encrypted"
  }
}

run "an_image_never_changes_under_its_tag" {
  command = plan

  assert {
    condition     = alltrue([for repository in aws_ecr_repository.image : repository.image_tag_mutability == "IMMUTABLE"])
    error_message = "tags are immutable"
  }
  assert {
    condition     = alltrue([for repository in aws_ecr_repository.image : repository.image_scanning_configuration[0].scan_on_push])
    error_message = "images are scanned"
  }
}

run "a_pattern_is_no_repository" {
  command = plan
  variables {
    repository = "carillon/*"
  }
  expect_failures = [var.repository]
}
