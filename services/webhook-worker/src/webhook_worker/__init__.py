"""Four priority queues in, signed HTTP POST out; PostgreSQL owns a delivery from the first moment."""

__version__ = "0.1.0"
