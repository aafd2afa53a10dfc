"""The whole system on one machine, without Docker: PostgreSQL, engine, receiver and the four services."""
