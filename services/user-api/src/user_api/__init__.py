"""The REST API: users and their birthdays; rows and events are written in one transaction."""

__version__ = "0.1.0"
