"""Ids that are derived (UUIDv5), so that doing a thing again, anywhere, names the same thing."""

from uuid import UUID, uuid5


def birthday_occasion_id(user_id: UUID) -> UUID:
    """Name a user's birthday."""
    return uuid5(user_id, "birthday")


def due_event_id(occasion_id: UUID, nominal_date: str) -> UUID:
    """Name the ring of an occasion on one nominal date (`YYYY-MM-DD`, before a leap-day policy shifts it)."""
    return uuid5(occasion_id, nominal_date)


def outcome_event_id(due_event_id: UUID, event_type: str) -> UUID:
    """Name the outcome of a due event: `OccurrenceCompleted`, `…Failed` or `…Expired`."""
    return uuid5(due_event_id, event_type)
