mock_provider "aws" {
  source          = "../../tests/mocks"
  override_during = plan
}

variables {
  environment         = "production"
  domain_name         = "api.carillon.example"
  zone_id             = "Z0123456789"
  openapi_file        = "../../../../contracts/openapi.json"
  jwt_issuer          = "https://issuer.example"
  jwt_audience        = "carillon"
  cors_origins        = ["https://app.example.com"]
  vpc_id              = "vpc-1"
  subnets             = ["subnet-1", "subnet-2", "subnet-3"]
  api_group           = "sg-api"
  deletion_protection = true
  kms_key_arn         = "arn:aws:kms:eu-west-1:123456789012:key/11111111-1111-1111-1111-111111111111"
}

run "nobody_without_a_token" {
  command = plan

  assert {
    condition     = alltrue([for route in aws_apigatewayv2_route.closed : route.authorization_type == "JWT"])
    error_message = "whatever is not opened by name needs a token"
  }
  assert {
    condition = length(setsubtract(
      ["ANY /user", "ANY /user/{proxy+}", "ANY /endpoint", "ANY /endpoint/{proxy+}"], keys(aws_apigatewayv2_route.closed)
    )) == 0
    error_message = "what the contract has can be called"
  }
  assert {
    condition = alltrue([
      for route in concat(values(aws_apigatewayv2_route.closed), values(aws_apigatewayv2_route.open)) :
      !strcontains(route.route_key, "metrics") && route.route_key != "$default"
    ])
    error_message = "and nothing else, such as /metrics"
  }
  assert {
    condition     = aws_apigatewayv2_authorizer.jwt.jwt_configuration[0].issuer == "https://issuer.example"
    error_message = "of this issuer"
  }
  assert {
    condition     = aws_apigatewayv2_authorizer.jwt.jwt_configuration[0].audience == toset(["carillon"])
    error_message = "for this audience"
  }
  assert {
    condition = toset(keys(aws_apigatewayv2_route.open)) == toset([
      "GET /health", "GET /health/ready", "GET /openapi.json", "GET /docs", "GET /docs/{proxy+}",
    ])
    error_message = "health and documentation alone are open"
  }
}

run "no_client_takes_it_all" {
  command = plan

  assert {
    condition     = aws_apigatewayv2_stage.this.default_route_settings[0].throttling_rate_limit == 500
    error_message = "500 requests a second"
  }
  assert {
    condition     = aws_apigatewayv2_stage.this.default_route_settings[0].throttling_burst_limit == 1000
    error_message = "1,000 at once"
  }
}

run "every_request_is_logged" {
  command = plan

  assert {
    condition = keys(jsondecode(aws_apigatewayv2_stage.this.access_log_settings[0].format)) == [
      "httpMethod", "ip", "latency", "protocol", "requestId", "requestTime", "resourcePath", "responseLength", "status",
    ]
    error_message = "in the fields that the API itself logs"
  }
  assert {
    condition     = aws_cloudwatch_log_group.access.kms_key_id == var.kms_key_arn
    error_message = "and encrypted"
  }
}

run "browsers_of_named_origins_may_call" {
  command = plan

  assert {
    condition     = aws_apigatewayv2_api.this.cors_configuration[0].allow_origins == toset(["https://app.example.com"])
    error_message = "CORS for these origins"
  }
  assert {
    condition     = contains(aws_apigatewayv2_api.this.cors_configuration[0].allow_headers, "if-match")
    error_message = "with the headers that changes need"
  }
}

run "tls_1_2_all_the_way" {
  command = plan

  assert {
    condition     = aws_apigatewayv2_domain_name.this.domain_name_configuration[0].security_policy == "TLS_1_2"
    error_message = "to API Gateway"
  }
  assert {
    condition     = aws_apigatewayv2_api.this.disable_execute_api_endpoint
    error_message = "and by no other name"
  }
  assert {
    condition = alltrue([
      for listener in [aws_lb_listener.production, aws_lb_listener.test] :
      listener.protocol == "HTTPS" && listener.ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    ])
    error_message = "to the load balancer"
  }
  assert {
    condition     = aws_apigatewayv2_integration.api.tls_config[0].server_name_to_verify == var.domain_name
    error_message = "whose certificate API Gateway verifies"
  }
}

run "nothing_is_public" {
  command = plan

  assert {
    condition     = aws_lb.this.internal
    error_message = "the load balancer is internal"
  }
  assert {
    condition     = aws_apigatewayv2_integration.api.connection_type == "VPC_LINK"
    error_message = "API Gateway comes by its private link"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.from_link.cidr_ipv4 == null
    error_message = "and nobody else does"
  }
}

run "blue_and_green" {
  command = plan

  assert {
    condition     = keys(aws_lb_target_group.this) == ["blue", "green"]
    error_message = "two target groups"
  }
  assert {
    condition     = alltrue([for group in aws_lb_target_group.this : group.health_check[0].path == "/health/ready"])
    error_message = "that send requests to tasks that are ready"
  }
  assert {
    condition     = keys(aws_lb_listener_rule.this) == ["production", "test"]
    error_message = "green can be tried before it has the traffic"
  }
}

run "an_origin_for_everybody_is_refused" {
  command = plan
  variables {
    cors_origins = ["*"]
  }
  expect_failures = [var.cors_origins]
}
