"""What Carillon costs a month, from prices and sizes that are checked in."""
