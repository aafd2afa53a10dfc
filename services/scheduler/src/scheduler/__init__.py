"""Plans occurrences from user events, claims the due ones, records how they ended."""

__version__ = "0.1.0"
