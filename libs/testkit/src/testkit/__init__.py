"""Real parts for tests and local runs: PostgreSQL, SNS/SQS engine, webhook receiver, builders, waiting."""
