output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "private_subnets" {
  description = "Where services run: one a zone, out through NAT."
  value       = [for zone in local.zones : aws_subnet.private[zone].id]
}

output "isolated_subnets" {
  description = "Where the database is: one a zone, no way out."
  value       = [for zone in local.zones : aws_subnet.isolated[zone].id]
}
