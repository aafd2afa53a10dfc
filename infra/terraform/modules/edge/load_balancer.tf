resource "aws_lb" "this" {
  #checkov:skip=CKV_AWS_150:protected in staging and production, by deletion_protection
  #checkov:skip=CKV_AWS_91:API Gateway's access log has every request already
  #checkov:skip=CKV2_AWS_28:it is internal: only API Gateway reaches it, by its private link
  name                       = local.name
  internal                   = true
  load_balancer_type         = "application"
  subnets                    = var.subnets
  security_groups            = [aws_security_group.load_balancer.id]
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "strictest"
  enable_deletion_protection = var.deletion_protection
  idle_timeout               = 60
}

# ECS moves the traffic between the two; at any time one of them is in use.
resource "aws_lb_target_group" "this" {
  #checkov:skip=CKV_AWS_378:TLS ends at the load balancer, in the same private subnets as the tasks
  for_each             = toset(["blue", "green"])
  name                 = "${local.name}-${each.key}"
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = var.port
  vpc_id               = var.vpc_id
  deregistration_delay = 35 # longer than a request may take

  health_check {
    path                = "/health/ready"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "production" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = aws_acm_certificate_validation.this.certificate_arn
  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      status_code  = "404"
    }
  }
}

# Where green is tried before the world sees it.
resource "aws_lb_listener" "test" {
  load_balancer_arn = aws_lb.this.arn
  port              = 8443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = aws_acm_certificate_validation.this.certificate_arn
  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener_rule" "this" {
  for_each     = { production = aws_lb_listener.production.arn, test = aws_lb_listener.test.arn }
  listener_arn = each.value
  priority     = 1
  condition {
    path_pattern {
      values = ["/*"]
    }
  }
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["blue"].arn
  }

  lifecycle {
    ignore_changes = [action] # a deployment moves it
  }
}

resource "aws_security_group" "link" {
  name        = "${local.name}-link"
  description = "API Gateway's private link"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "link_to_load_balancer" {
  security_group_id            = aws_security_group.link.id
  description                  = "The load balancer"
  referenced_security_group_id = aws_security_group.load_balancer.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_security_group" "load_balancer" {
  name        = "${local.name}-load-balancer"
  description = "The internal load balancer"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "from_link" {
  security_group_id            = aws_security_group.load_balancer.id
  description                  = "API Gateway's private link"
  referenced_security_group_id = aws_security_group.link.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_egress_rule" "to_api" {
  security_group_id            = aws_security_group.load_balancer.id
  description                  = "Tasks of the API"
  referenced_security_group_id = var.api_group
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port
}
