# The way in: API Gateway checks the token and the rate, a private link leads to an internal load balancer, that to the
# API's tasks. Nothing but API Gateway has a public address.

locals {
  name = "carillon-${var.environment}"
  # Answered without a token: what probes and readers of the documentation ask.
  open_routes = ["GET /health", "GET /health/ready", "GET /openapi.json", "GET /docs", "GET /docs/{proxy+}"]
  # What the contract has, and nothing else: /metrics stays inside.
  kept_inside = ["health", "metrics", "openapi.json", "docs"]
  resources   = setsubtract([for path in keys(jsondecode(file(var.openapi_file)).paths) : split("/", path)[1]], local.kept_inside)
  routes      = toset(flatten([for resource in local.resources : ["ANY /${resource}", "ANY /${resource}/{proxy+}"]]))
}

resource "aws_apigatewayv2_api" "this" {
  name                         = local.name
  description                  = "Carillon ${var.environment}: users, occasions, endpoints, deliveries"
  protocol_type                = "HTTP"
  disable_execute_api_endpoint = true # its own name, with its TLS policy, is the only one

  dynamic "cors_configuration" {
    for_each = length(var.cors_origins) == 0 ? [] : [1]
    content {
      allow_origins  = var.cors_origins
      allow_methods  = ["GET", "POST", "PUT", "PATCH", "DELETE"]
      allow_headers  = ["authorization", "content-type", "idempotency-key", "if-match", "traceparent", "x-request-id"]
      expose_headers = ["etag", "link", "location", "ratelimit", "ratelimit-policy", "retry-after", "x-request-id"]
      max_age        = 600
    }
  }
}

resource "aws_apigatewayv2_authorizer" "jwt" {
  api_id           = aws_apigatewayv2_api.this.id
  name             = "jwt"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]
  jwt_configuration {
    issuer   = var.jwt_issuer
    audience = [var.jwt_audience]
  }
}

resource "aws_apigatewayv2_vpc_link" "this" {
  name               = local.name
  subnet_ids         = var.subnets
  security_group_ids = [aws_security_group.link.id]
}

resource "aws_apigatewayv2_integration" "api" {
  api_id               = aws_apigatewayv2_api.this.id
  integration_type     = "HTTP_PROXY"
  integration_method   = "ANY"
  integration_uri      = aws_lb_listener.production.arn
  connection_type      = "VPC_LINK"
  connection_id        = aws_apigatewayv2_vpc_link.this.id
  timeout_milliseconds = 30000 # the most there is; the API itself answers within as long

  tls_config {
    server_name_to_verify = var.domain_name
  }
  # The API's log and API Gateway's tell of a request by the same id.
  request_parameters = {
    "overwrite:header.x-request-id" = "$context.requestId"
  }
}

resource "aws_apigatewayv2_route" "closed" {
  for_each           = local.routes
  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.api.id}"
  authorization_type = "JWT"
  authorizer_id      = aws_apigatewayv2_authorizer.jwt.id
}

resource "aws_apigatewayv2_route" "open" {
  #checkov:skip=CKV_AWS_309:health and documentation are for everybody
  for_each           = toset(local.open_routes)
  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.api.id}"
  authorization_type = "NONE"
}

resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit    = var.requests_per_second
    throttling_burst_limit   = var.requests_at_once
    detailed_metrics_enabled = true
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    # The fields of the API's own log.
    format = jsonencode({
      requestId      = "$context.requestId"
      ip             = "$context.identity.sourceIp"
      requestTime    = "$context.requestTime"
      httpMethod     = "$context.httpMethod"
      resourcePath   = "$context.path"
      status         = "$context.status"
      protocol       = "$context.protocol"
      responseLength = "$context.responseLength"
      latency        = "$context.responseLatency"
    })
  }
}

resource "aws_cloudwatch_log_group" "access" {
  #checkov:skip=CKV_AWS_338:seven days of logs, as of every other; CloudTrail's record is kept for a year
  name              = "/carillon/${var.environment}/access"
  retention_in_days = 7
  kms_key_id        = var.kms_key_arn
}
