"""The dates of a recurrence rule (RFC 5545 §3.3.10), from any date on, at the same small cost.

Not python-dateutil's `rrule`, which serves as the judge in the tests: it walks from the start, tells nobody
before it found a date, and so can be bounded only by time. See ADR 0007.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import MAXYEAR, date
from itertools import groupby

from domain.recurrence_rule import Frequency, Recurrence

CALENDAR_CYCLE_DAYS = 146_097
"""After 400 years the calendar repeats; what has no date for that long is taken to have none."""

_LAST_DAY = date.max.toordinal()


def recurrence_dates(
    rule: Recurrence, start: date, *, least: date, within_days: int = CALENDAR_CYCLE_DAYS
) -> Iterator[date]:
    """Give the dates of an explicit rule (`made_explicit`) in order, from the later of `start` and `least`.

    The start gives INTERVAL its phase; it is a date itself only where the rule says so. COUNT and UNTIL are
    not read. Ends with the calendar, or when no date follows the last one within so many days.
    """
    least = max(start, least)
    dates = (
        _chosen(rule, start, least, within_days)
        if rule.positions
        else _matching(rule, start, least, within_days)
    )
    return (on for on in dates if on >= least)


def _chosen(rule: Recurrence, start: date, least: date, within_days: int) -> Iterator[date]:
    """Give the dates that BYSETPOS takes from each period, whole periods from that of `least` on."""
    first = _first_day(rule, _period(rule, least)) or least
    dates = _matching(rule, start, first, within_days)
    for _, period in groupby(dates, lambda on: _period(rule, on)):
        members = list(period)
        size = len(members)
        places = {place - 1 if place > 0 else size + place for place in rule.positions}
        yield from (members[place] for place in sorted(places) if 0 <= place < size)


def _matching(rule: Recurrence, start: date, least: date, within_days: int) -> Iterator[date]:
    """Give every date that all parts but BYSETPOS let through: a month at a time, from `least` on."""
    phase, last = _period(rule, start), least.toordinal()
    cursor: date | None = least
    while cursor is not None and cursor.toordinal() - last <= within_days:
        ahead = (phase - _period(rule, cursor)) % rule.interval
        if ahead:
            cursor = _first_day(rule, _period(rule, cursor) + ahead)
        elif rule.months and cursor.month not in rule.months:
            cursor = _next_month(cursor)
        else:
            for on in _in_month(rule, phase, cursor):
                last = on.toordinal()
                yield on
            cursor = _next_month(cursor)


def _in_month(rule: Recurrence, phase: int, since: date) -> Iterator[date]:
    """Give the dates of the month of `since`, from that day on."""
    length = monthrange(since.year, since.month)[1]
    named = {day if day > 0 else length + 1 + day for day in rule.month_days}
    for day in range(since.day, length + 1):
        if named and day not in named:
            continue
        on = since.replace(day=day)
        if (_period(rule, on) - phase) % rule.interval == 0 and _on_weekday(rule, on, length):
            yield on


def _on_weekday(rule: Recurrence, on: date, length: int) -> bool:
    """Tell whether BYDAY lets a date through; its numbers count in the year, with BYMONTH in the month."""
    if not rule.weekdays:
        return True
    place, size = on.day, length
    if rule.frequency is Frequency.YEARLY and not rule.months:
        place, size = on.timetuple().tm_yday, date(on.year, 12, 31).timetuple().tm_yday
    weekday = on.weekday()
    nths = (0, (place + 6) // 7, -((size - place) // 7 + 1))
    return any(wanted.day == weekday and wanted.nth in nths for wanted in rule.weekdays)


def _period(rule: Recurrence, on: date) -> int:
    """Give the number of the period a date lies in: the day, the week from WKST on, the month, the year."""
    match rule.frequency:
        case Frequency.DAILY:
            return on.toordinal()
        case Frequency.WEEKLY:
            return (on.toordinal() - 1 - rule.week_start) // 7
        case Frequency.MONTHLY:
            return on.year * 12 + on.month - 1
        case Frequency.YEARLY:
            return on.year


def _first_day(rule: Recurrence, period: int) -> date | None:
    """Give the first day of a period, within the calendar; None beyond its end."""
    match rule.frequency:
        case Frequency.DAILY:
            return _day(period)
        case Frequency.WEEKLY:
            return _day(max(7 * period + rule.week_start + 1, 1))
        case Frequency.MONTHLY:
            return date(period // 12, period % 12 + 1, 1) if period // 12 <= MAXYEAR else None
        case Frequency.YEARLY:
            return date(period, 1, 1) if period <= MAXYEAR else None


def _day(ordinal: int) -> date | None:
    return date.fromordinal(ordinal) if ordinal <= _LAST_DAY else None


def _next_month(on: date) -> date | None:
    if on.month < 12:  # noqa: PLR2004 - December
        return date(on.year, on.month + 1, 1)
    return date(on.year + 1, 1, 1) if on.year < MAXYEAR else None
