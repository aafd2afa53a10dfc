"""Ids that are derived (UUIDv5), so that doing a thing again, anywhere, names the same thing."""

from uuid import UUID, uuid5


def birthday_occasion_id(user_id: UUID) -> UUID:
    """Name a user's birthday."""
    return uuid5(user_id, "birthday")


def due_event_id(occasion_id: UUID, nominal_date: str) -> UUID:
    """Name the ring of an occasion on one nominal date (`YYYY-MM-DD`, before a leap-day policy shifts it)."""
    return uuid5(occasion_id, nominal_date)


def outcome_event_id(due_event_id: UUID, event_type: str) -> UUID:
    """Name the outcome of a due event: `OccurrenceCompleted` or `OccurrenceFailed`."""
    return uuid5(due_event_id, event_type)


def endpoint_event_id(endpoint_id: UUID, event_type: str, version: int) -> UUID:
    """Name what made an endpoint the `version` that it is."""
    return uuid5(endpoint_id, f"{event_type} {version}")
