"""Carillon's rules, pure: no I/O, no clock, no randomness, no environment."""

__version__ = "0.1.0"
