"""Who asked for what is done: named by the API, carried by messages, written down by the audit."""

from contextvars import ContextVar

ACTOR: ContextVar[str | None] = ContextVar("actor", default=None)
"""Whoever asked for what is done here; None where a service does it by itself."""

ATTRIBUTE = "actor"
