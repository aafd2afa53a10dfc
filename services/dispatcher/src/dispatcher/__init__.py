"""The only door out: relays the outbox to one SNS topic per event type."""

__version__ = "0.1.0"
