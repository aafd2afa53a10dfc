"""How events travel: envelope, outbox, SNS publish, SQS consume, inbox, topology."""
