"""A send window spreads what is due at one instant over some minutes, each date at a place of its own."""

from datetime import timedelta
from uuid import UUID

from msgspec.structs import replace

from domain.due_date import LAST_INSTANT, DueDate
from domain.ids import due_event_id

_PLACE_BITS = 48
_SECOND = timedelta(seconds=1)


def jitter_seconds(event_id: UUID, window_minutes: int) -> int:
    """Give how many whole seconds into its window an occurrence is due: from 0 to less than the window.

    It follows from the event's id, so planning again gives the same place, and so does whoever previews it.
    """
    # The last bits of a UUIDv5 are those of a hash: every place is as likely as any other.
    return event_id.node * window_minutes * 60 >> _PLACE_BITS


def spread(due: DueDate, occasion_id: UUID, window_minutes: int) -> DueDate:
    """Give a date as it is due within its type's window, which begins at the instant promised."""
    if window_minutes == 0:
        return due
    place = jitter_seconds(due_event_id(occasion_id, due.nominal_date), window_minutes)
    place = min(place, (LAST_INSTANT - due.due_at) // _SECOND)
    return replace(due, due_at=due.due_at + place * _SECOND, jitter_seconds=place)
