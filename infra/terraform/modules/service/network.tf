resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5:it is attached to the tasks of the service
  name        = local.name
  description = "Tasks of ${local.name}"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "from" {
  for_each                     = var.allowed_groups
  security_group_id            = aws_security_group.this.id
  description                  = "From ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port
}

# To groups that are named; to the world by HTTPS, for AWS; the webhook worker by any TCP port, for endpoints have theirs.
resource "aws_vpc_security_group_egress_rule" "to" {
  for_each                     = var.reached_groups
  security_group_id            = aws_security_group.this.id
  description                  = "To ${each.key}"
  referenced_security_group_id = each.value.group
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "out" {
  security_group_id = aws_security_group.this.id
  description       = var.calls_any_port ? "Endpoints of webhooks, and AWS" : "AWS, by HTTPS"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = var.calls_any_port ? 1 : 443
  to_port           = var.calls_any_port ? 65535 : 443
}
