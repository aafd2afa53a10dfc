output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "private_subnets" {
  description = "Where services run: one a zone, out through NAT."
  value       = [for zone in local.zones : aws_subnet.private[zone].id]
  # What runs there can do nothing before it has a way out.
  depends_on = [aws_route.nat, aws_route_table_association.private, aws_vpc_endpoint.interface, aws_vpc_endpoint.s3]
}

output "isolated_subnets" {
  description = "Where the database is: one a zone, no way out."
  value       = [for zone in local.zones : aws_subnet.isolated[zone].id]
}
