"""Whether a zone's clocks show what was promised, every day of two centuries: the way back from UTC tells."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.due_date import local_instant
from domain.occasion import DEFAULT_SEND_AT_LOCAL, Reminder
from domain.reminder_dates import reminder_dates
from domain.zones import zone
from msgspec import Struct

FIRST, LAST = date(1900, 1, 1), date(2100, 12, 31)
DAY = timedelta(days=1)
HALF_HOURS = [time(hour, minute) for hour in range(24) for minute in (0, 30)]


class Checked(Struct, frozen=True, kw_only=True):
    """How many instants of a zone were checked: one of each day, and those of days when its clocks change.

    `in_gap` are the daily ones that no clock showed, by the local time that was promised.
    """

    timezone: str
    daily: int
    near_changes: int
    in_gap: list[datetime]


def check_instants(timezone: str) -> Checked:
    """Check 09:00 of every day, as a daily reminder is planned, and each half hour of days with a change.

    Raises AssertionError for an instant that is neither what was promised nor the documented exception, and
    where a day is missing or there twice.
    """
    clocks = zone(timezone)
    in_gap, near_changes, days = [], 0, 0
    expected, before = FIRST, None
    for on, due_at in _daily(timezone):
        assert on == expected, (timezone, on, expected)
        expected = on + DAY
        promised = datetime.combine(on, DEFAULT_SEND_AT_LOCAL)
        if not shown(promised, due_at, clocks):
            in_gap.append(promised)
        if before is not None and due_at - before != DAY:
            near_changes += _check_day(on - DAY, timezone) + _check_day(on, timezone)
        before = due_at
        days += 1
    assert expected == LAST + DAY, (timezone, expected)
    return Checked(timezone=timezone, daily=days, near_changes=near_changes, in_gap=in_gap)


def shown(promised: datetime, due_at: datetime, clocks: ZoneInfo) -> bool:
    """Tell whether the clocks show the promised local time at an instant, for the first time if twice.

    If not, they must have leapt over it, and the instant be that by the clocks before the leap (RFC 5545
    §3.3.5): as long before as the leap is wide, they showed the promised time less that width. Raises
    AssertionError otherwise.
    """
    at = due_at.astimezone(clocks)
    if at.replace(tzinfo=None) == promised and not at.fold:
        return True
    leap = at.replace(tzinfo=None) - promised
    earlier = (due_at - leap).astimezone(clocks).replace(tzinfo=None)
    assert leap > timedelta(0), (str(clocks), promised, due_at)
    assert earlier == promised - leap, (str(clocks), promised, due_at)
    return False


def _daily(timezone: str) -> Iterator[tuple[date, datetime]]:
    rule = Reminder(
        local_date_time=datetime.combine(FIRST, DEFAULT_SEND_AT_LOCAL),
        rrule="FREQ=DAILY",
        last_date=LAST,
        timezone=timezone,
    )
    for due in reminder_dates(rule, least=FIRST.isoformat()):
        yield due.local_date, due.due_at


def _check_day(on: date, timezone: str) -> int:
    clocks = zone(timezone)
    for at in HALF_HOURS:
        shown(datetime.combine(on, at), local_instant(on, at, timezone), clocks)
    return len(HALF_HOURS)
