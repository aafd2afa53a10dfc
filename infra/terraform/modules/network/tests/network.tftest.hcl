mock_provider "aws" {
  source          = "../../tests/mocks"
  override_during = plan
}

variables {
  environment             = "production"
  cidr                    = "10.30.0.0/16"
  nat_in_every_zone       = true
  endpoints_in_every_zone = true
  kms_key_arn             = "arn:aws:kms:eu-west-1:123456789012:key/11111111-1111-1111-1111-111111111111"
  permissions_boundary    = "arn:aws:iam::123456789012:policy/carillon-production-boundary"
}

run "private_subnets_over_three_zones" {
  command = plan

  override_resource {
    target          = aws_nat_gateway.this["eu-west-1a"]
    override_during = plan
    values          = { id = "nat-a" }
  }

  override_resource {
    target          = aws_nat_gateway.this["eu-west-1b"]
    override_during = plan
    values          = { id = "nat-b" }
  }

  override_resource {
    target          = aws_nat_gateway.this["eu-west-1c"]
    override_during = plan
    values          = { id = "nat-c" }
  }

  assert {
    condition = toset([for subnet in aws_subnet.private : subnet.availability_zone]) == toset([
      "eu-west-1a", "eu-west-1b", "eu-west-1c",
    ])
    error_message = "a private subnet a zone, three zones"
  }
  assert {
    condition = length(distinct(concat(
      [for subnet in aws_subnet.public : subnet.cidr_block],
      [for subnet in aws_subnet.private : subnet.cidr_block],
      [for subnet in aws_subnet.isolated : subnet.cidr_block],
    ))) == 9
    error_message = "nine subnets that do not overlap"
  }
  assert {
    condition = jsonencode({ for zone, route in aws_route.nat : zone => route.nat_gateway_id }) == jsonencode({
      eu-west-1a = "nat-a", eu-west-1b = "nat-b", eu-west-1c = "nat-c"
    })
    error_message = "each zone leaves by its own NAT gateway"
  }
}

run "nothing_is_public" {
  command = plan

  assert {
    condition     = alltrue([for subnet in aws_subnet.public : !subnet.map_public_ip_on_launch])
    error_message = "nothing gets a public address by itself"
  }
  assert {
    condition     = length(aws_route_table_association.isolated) == 3 && length(aws_route_table.isolated.route) == 0
    error_message = "the database's subnets have no route out"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.endpoints.cidr_ipv4 == var.cidr
    error_message = "endpoints answer the VPC alone"
  }
  assert {
    condition = (
      length(aws_default_security_group.closed.ingress) == 0 && length(aws_default_security_group.closed.egress) == 0
    )
    error_message = "the default security group is closed"
  }
}

run "aws_is_reached_without_leaving_the_vpc" {
  command = plan

  assert {
    condition = length(setsubtract(
      ["sqs", "sns", "ecr.api", "ecr.dkr", "logs", "secretsmanager"], keys(aws_vpc_endpoint.interface)
    )) == 0
    error_message = "endpoints for SQS, SNS, ECR, logs and secrets"
  }
  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled])
    error_message = "the usual names lead to the endpoints"
  }
  assert {
    condition = alltrue([
      for endpoint in aws_vpc_endpoint.interface :
      jsondecode(endpoint.policy).Statement[0].Condition.StringEquals["aws:PrincipalAccount"] == "123456789012"
    ])
    error_message = "the endpoints serve this account's principals alone"
  }
  assert {
    condition     = length(aws_vpc_endpoint.s3.route_table_ids) > 0
    error_message = "images come through the S3 endpoint"
  }
}

run "refusals_are_logged_and_encrypted" {
  command = plan

  assert {
    condition     = aws_flow_log.this.traffic_type == "REJECT" && aws_cloudwatch_log_group.flow.retention_in_days == 7
    error_message = "refused traffic is logged for seven days"
  }
  assert {
    condition     = aws_cloudwatch_log_group.flow.kms_key_id == var.kms_key_arn
    error_message = "flow logs are encrypted"
  }
  assert {
    condition     = endswith(jsondecode(aws_iam_role_policy.flow.policy).Statement[0].Resource, ":*")
    error_message = "the flow logs' role writes to streams of its own group alone"
  }
  assert {
    condition     = aws_iam_role.flow.permissions_boundary == var.permissions_boundary
    error_message = "the role is bounded"
  }
}

run "a_small_one_saves_gateways_and_endpoints" {
  command = plan
  variables {
    environment             = "dev"
    nat_in_every_zone       = false
    endpoints_in_every_zone = false
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.nat) == 3
    error_message = "one NAT gateway for three zones"
  }
  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.interface : length(endpoint.subnet_ids) == 1])
    error_message = "endpoints in one zone"
  }
}

run "a_cidr_that_nine_subnets_do_not_fit_in_is_refused" {
  command = plan
  variables {
    cidr = "10.30.0.0/24"
  }
  expect_failures = [var.cidr]
}
