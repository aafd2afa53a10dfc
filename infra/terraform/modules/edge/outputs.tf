output "api_id" {
  description = "API Gateway's id of the API, by which CloudWatch knows it."
  value       = aws_apigatewayv2_api.this.id
}

output "url" {
  description = "Where the API is."
  value       = "https://${var.domain_name}"
}

output "load_balancer_group" {
  description = "Security group from which the API's tasks are called."
  value       = aws_security_group.load_balancer.id
}

output "blue_green" {
  description = "What ECS moves traffic between."
  value = {
    blue_target_group_arn  = aws_lb_target_group.this["blue"].arn
    green_target_group_arn = aws_lb_target_group.this["green"].arn
    production_rule_arn    = aws_lb_listener_rule.this["production"].arn
    test_rule_arn          = aws_lb_listener_rule.this["test"].arn
  }
}
