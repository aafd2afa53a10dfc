"""Ids that are derived (UUIDv5), so that doing a thing again, anywhere, names the same thing."""

from datetime import datetime
from hashlib import sha1
from uuid import UUID

# A random one, so that no other name space has the names of this one.
_DEAD_LETTERS = UUID("7d1f5a52-6d0e-4c1b-9a70-3f6f0f4f8f6b")


def birthday_occasion_id(user_id: UUID) -> UUID:
    """Name a user's birthday."""
    return _named(user_id, "birthday")


def due_event_id(occasion_id: UUID, nominal_date: str) -> UUID:
    """Name the ring of an occasion on one nominal date (`YYYY-MM-DD`, before a leap-day policy shifts it)."""
    return _named(occasion_id, nominal_date)


def scheduled_event_id(due_event_id: UUID, version: int, due_at: datetime) -> UUID:
    """Name the plan that a due event falls due at an instant, by a version of its user and occasion."""
    return _named(due_event_id, f"OccurrenceScheduled {version} {due_at.isoformat()}")


def outcome_event_id(due_event_id: UUID, event_type: str) -> UUID:
    """Name the outcome of a due event: `OccurrenceCompleted`, `…Failed` or `…Expired`."""
    return _named(due_event_id, event_type)


def endpoint_event_id(endpoint_id: UUID, event_type: str, version: int) -> UUID:
    """Name what made an endpoint the `version` that it is."""
    return _named(endpoint_id, f"{event_type} {version}")


def dead_letter_id(queue: str, message_id: str) -> UUID:
    """Name a message that nobody could handle, by its queue and the id that SQS gave it."""
    return _named(_DEAD_LETTERS, f"{queue} {message_id}")


def dead_letter_event_id(dead_letter_id: UUID) -> UUID:
    """Name the news that there is a dead letter."""
    return _named(dead_letter_id, "DeadLettered")


def _named(namespace: UUID, name: str) -> UUID:
    """Give the UUIDv5 of a name (RFC 9562 §5.5): 4.1 µs, of `uuid.uuid5` 6.6, and a plan takes two."""
    digest = sha1(namespace.bytes + name.encode(), usedforsecurity=False).digest()
    return UUID(bytes=digest[:16], version=5)
