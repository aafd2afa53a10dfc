"""The command `carillon`: a companion of the REST API at a terminal."""
