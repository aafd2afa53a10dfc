"""When birthdays ring: dates first, instants derived from them.

A date is named by its *nominal date*, text `YYYY-MM-DD`: the date before the leap-day policy shifts it, so it
may be `2027-02-29`. It keeps that name under every policy, which is how a ring is known to have been rung.
Four-digit years make the text order the date order.
"""

from collections.abc import Iterator
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta

import msgspec

from domain.occasion import Birthday, LeapDayPolicy
from domain.zones import zone

_FIRST_INSTANT = datetime.min.replace(tzinfo=UTC)
_LAST_INSTANT = datetime.max.replace(tzinfo=UTC)
_LAST_DATE = "9999-12-31"

# Longer than any catch-up window, so that a date which the scheduler has yet to emit is never forgotten; far
# shorter than a year, so that no date of an earlier year comes back.
_STILL_OPEN = timedelta(days=30)


class DueDate(msgspec.Struct, frozen=True, kw_only=True):
    """One date of a birthday: its name, the local date it is kept on, and the instant (UTC) it is due."""

    nominal_date: str
    local_date: date
    due_at: datetime


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
        return _FIRST_INSTANT if on.year == 1 else _LAST_INSTANT


def next_due_at(birthday: Birthday, *, after: datetime) -> DueDate | None:
    """Give the first date due strictly after an instant; None when the calendar ends (year 9999) before it.

    The day of birth itself counts, nothing before it does. Raises UnknownZone, and ValueError for a naive
    `after`.
    """
    _refuse_naive(after)
    # Walls of two zones are under three days apart, skipped dates included: the year before is early enough.
    return next((due for due in _dates(birthday, after.year - 1) if due.due_at > after), None)


def planned(birthday: Birthday, *, first_date: str, after_date: str | None) -> DueDate | None:
    """Give the date to plan: the smallest admitted nominal date from `first_date` on and beyond `after_date`.

    `after_date` is the last nominal date emitted. The date may be due already: then it rings late, not never.
    It depends on no clock and no zone, so planning again gives the same date. None when the calendar ends
    before it. Raises UnknownZone.
    """
    least = max(first_date, after_date or first_date)
    dates = _dates(birthday, int(least[:4]))
    return next((due for due in dates if due.nominal_date >= least and due.nominal_date != after_date), None)


def first_date(
    new: Birthday, old: Birthday | None, old_first_date: str | None, *, changed_at: datetime
) -> str:
    """Decide, once for each change of a user, the nominal date before which nothing rings.

    - Created, or another month or day: the next date after the change; a moment already past is next year's.
    - Another leap-day policy, born on February 29: the earlier of the date pending under the old policy and
      the next one under the new. The pending date rings even where the new policy puts it in the past: from
      `mar_1` to `feb_28` on February 28 at 10:00, at once. What rang before, `after_date` holds back.
    - Anything else (zone, time of day, year): unchanged, so that a pending date is neither lost nor repeated.

    Raises ValueError for a naive `changed_at`, UnknownZone. At the calendar's end it gives its last day.
    """
    _refuse_naive(changed_at)
    if old is None or old_first_date is None or _month_day(new) != _month_day(old):
        return _nominal(next_due_at(new, after=changed_at))
    if _month_day(new) != (2, 29) or new.leap_day_policy == old.leap_day_policy:
        return old_first_date
    since = max(changed_at, _FIRST_INSTANT + 2 * _STILL_OPEN) - _STILL_OPEN  # no year 0 to look back into
    pending = _nominal(next_due_at(old, after=since))
    return min(max(pending, old_first_date), _nominal(next_due_at(new, after=changed_at)))


def _dates(birthday: Birthday, year: int) -> Iterator[DueDate]:
    """Give every date from a year on, in order, none before the date of birth."""
    born = birthday.date_of_birth
    for at_year in range(max(year, born.year), MAXYEAR + 1):
        local_date = _kept_on(birthday, at_year)
        if local_date is not None:
            yield DueDate(
                nominal_date=f"{at_year:04}-{born.month:02}-{born.day:02}",
                local_date=local_date,
                due_at=local_instant(local_date, birthday.send_at_local, birthday.timezone),
            )


def _kept_on(birthday: Birthday, year: int) -> date | None:
    born = birthday.date_of_birth
    if _month_day(birthday) != (2, 29) or _is_leap(year):
        return born.replace(year=year)
    match birthday.leap_day_policy:
        case LeapDayPolicy.FEB_28:
            return date(year, 2, 28)
        case LeapDayPolicy.MAR_1:
            return date(year, 3, 1)
        case LeapDayPolicy.SKIP:
            return None


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _month_day(birthday: Birthday) -> tuple[int, int]:
    return birthday.date_of_birth.month, birthday.date_of_birth.day


def _nominal(due: DueDate | None) -> str:
    return _LAST_DATE if due is None else due.nominal_date


def _refuse_naive(instant: datetime) -> None:
    if instant.utcoffset() is None:
        raise ValueError("an instant needs a zone: this datetime is naive")
