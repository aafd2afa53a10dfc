"""The dates of a recurrence rule (RFC 5545 §3.3.10), from any date on, at the same small cost.

Not python-dateutil's `rrule`, which serves as the judge in the tests: it walks from the start, tells nobody
before it found a date, and so can be bounded only by time. See ADR 0007.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import MAXYEAR, date
from functools import partial
from itertools import groupby

from domain.recurrence_rule import Frequency, Recurrence

HUNDRED_YEARS_DAYS = 36_525
"""A rule ends where no date follows for so long. Without INTERVAL the longest gap is 40 years (a Monday on
February 29); with it, looking further cost 9 ms for rules that nobody lives to see ring.
"""

_LAST_DAY = date.max.toordinal()


def recurrence_dates(
    rule: Recurrence, start: date, *, least: date, within_days: int = HUNDRED_YEARS_DAYS
) -> Iterator[date]:
    """Give the dates of an explicit rule (`made_explicit`) in order, from the later of `start` and `least`.

    The start gives INTERVAL its phase; it is a date itself only where the rule says so. COUNT and UNTIL are
    not read. Ends with the calendar, or when no date follows the last one within so many days.
    """
    least = max(start, least)
    if not rule.positions:
        return _matching(rule, start, least, within_days)
    return (on for on in _chosen(rule, start, least, within_days) if on >= least)


def _chosen(rule: Recurrence, start: date, least: date, within_days: int) -> Iterator[date]:
    """Give the dates that BYSETPOS takes from each period, whole periods from that of `least` on."""
    last = _first_day(rule, _period(rule, least)) or least
    for _, period in groupby(_matching(rule, start, last, within_days), partial(_period, rule)):
        members = list(period)
        if (members[0] - last).days > within_days:
            return
        size = len(members)
        places = {place - 1 if place > 0 else size + place for place in rule.positions}
        for place in sorted(places):
            if 0 <= place < size:
                last = members[place]
                yield last


def _matching(rule: Recurrence, start: date, least: date, within_days: int) -> Iterator[date]:
    """Give every date that all parts but BYSETPOS let through: a month at a time, from `least` on."""
    phase, last = _period(rule, start), least
    cursor: date | None = least
    while cursor is not None and (cursor - last).days <= within_days:
        ahead = (phase - _period(rule, cursor)) % rule.interval
        if ahead:
            cursor = _first_day(rule, _period(rule, cursor) + ahead)
        elif rule.months and cursor.month not in rule.months:
            cursor = _next_month(cursor)
        else:
            for last in _in_month(rule, phase, cursor):
                yield last
            cursor = _next_month(cursor)


def _in_month(rule: Recurrence, phase: int, since: date) -> Iterator[date]:
    """Give the dates of the month of `since`, from that day on."""
    length = monthrange(since.year, since.month)[1]
    before = since.toordinal() - since.day
    days: Iterable[int] = range(since.day, length + 1)
    if rule.month_days:
        named = {day if day > 0 else length + 1 + day for day in rule.month_days}
        days = sorted(named.intersection(days))
    elif rule.frequency is Frequency.DAILY:
        days = range(since.day, length + 1, rule.interval)  # `since` is in phase
    for day in days:
        if not rule.weekdays or _on_weekday(rule, since, day, length):
            on = date.fromordinal(before + day)
            if rule.interval == 1 or (_period(rule, on) - phase) % rule.interval == 0:
                yield on


def _on_weekday(rule: Recurrence, month: date, day: int, length: int) -> bool:
    """Tell whether BYDAY lets a day through; its numbers count in the year, with BYMONTH in the month."""
    weekday = (month.weekday() + day - month.day) % 7
    for wanted in rule.weekdays:
        if wanted.day == weekday:
            if wanted.nth == 0:
                return True
            place, size = day, length
            if rule.frequency is Frequency.YEARLY and not rule.months:
                place, size = _place_in_year(month.replace(day=day))
            if wanted.nth in ((place + 6) // 7, -((size - place) // 7 + 1)):
                return True
    return False


def _place_in_year(on: date) -> tuple[int, int]:
    """Give the day's number in its year, from 1, and how many days the year has."""
    new_year = date(on.year, 1, 1)
    return (on - new_year).days + 1, (date(on.year, 12, 31) - new_year).days + 1


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
