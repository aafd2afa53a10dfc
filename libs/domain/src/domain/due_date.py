"""One date of an occasion, and the instant it is due."""

from datetime import UTC, date, datetime, time, timedelta

import msgspec

from domain.zones import zone

FIRST_INSTANT = datetime.min.replace(tzinfo=UTC)
LAST_INSTANT = datetime.max.replace(tzinfo=UTC)


class DueDate(msgspec.Struct, frozen=True, kw_only=True):
    """One date of an occasion: its name, the local date and time it is kept at, the instant (UTC) it is due.

    The name is the *nominal date*, text `YYYY-MM-DD`: the date before a leap-day policy shifts it, so it may
    be `2027-02-29`. It stays under every policy and zone, which is how a ring is known to have been rung.
    Four-digit years make the text order the date order. `due_at` has its place in a send window in it
    already, `jitter_seconds`.
    """

    nominal_date: str
    local_date: date
    local_time: time
    due_at: datetime
    jitter_seconds: int = 0


def local_instant(on: date, at: time, timezone: str) -> datetime:
    """Give the UTC instant of a local date and time, by RFC 5545 §3.3.5; raise UnknownZone.

    A time that occurs twice is its first occurrence; one in a gap takes the offset before the gap (02:30 →
    03:30). So does a date that a zone skipped whole: Apia's 2011-12-30 09:00 is the instant shown there as
    2011-12-31 09:00. An instant beyond the years 1 to 9999 in UTC is given as the first or last one that a
    datetime can hold.
    """
    wall = datetime.combine(on, at).replace(fold=0)
    offset = wall.replace(tzinfo=zone(timezone)).utcoffset() or timedelta()
    try:
        return wall.replace(tzinfo=UTC) - offset
    except OverflowError:
        return FIRST_INSTANT if on.year == 1 else LAST_INSTANT


def wall_time(instant: datetime, timezone: str) -> datetime:
    """Give the date and time (naive) that a zone's clocks show at an instant, to the second below.

    Raises UnknownZone. Beyond the years 1 to 9999 there it is the first or last one that a datetime can hold.
    """
    try:
        return instant.astimezone(zone(timezone)).replace(microsecond=0, tzinfo=None, fold=0)
    except OverflowError:
        return (FIRST_INSTANT if instant.year == 1 else LAST_INSTANT).replace(microsecond=0, tzinfo=None)
