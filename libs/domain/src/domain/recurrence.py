"""Setting a reminder's recurrence rule: read, checked, written in one form, its end resolved to a date."""

from datetime import date, datetime, timedelta
from itertools import islice, takewhile

from msgspec.structs import replace

from domain.due_date import local_instant, wall_time
from domain.parse_recurrence import parse_recurrence
from domain.recurrence_dates import HUNDRED_YEARS_DAYS, recurrence_dates
from domain.recurrence_rule import Recurrence, RecurrenceError, made_explicit, write_recurrence

__all__ = ["RecurrenceError", "recurrence"]

_FIRST_WITHIN_DAYS = 8 * 366  # from one February 29 to the next around 2100, and a day or two
_ONE_DAY = timedelta(days=1)


def recurrence(rrule: str, local_date_time: datetime, timezone: str) -> tuple[str, date | None]:
    """Give a rule in its normal form, and the last local date that may ring where the rule ends.

    `local_date_time` (naive, whole seconds) is RFC 5545's DTSTART; it is a date of the rule only where it
    matches it, and COUNT counts dates. UNTIL is inclusive, and written as a date: the last one whose time
    comes no later, in `timezone` for an instant. Raises RecurrenceError with the reason, UnknownZone.
    """
    start = local_date_time.date()
    rule = parse_recurrence(rrule)
    if rule.until is not None:
        rule = replace(rule, until=_last_day(rule.until, local_date_time, timezone))
    return write_recurrence(rule), _last_date(made_explicit(rule, start), start)


def _last_day(until: date | datetime, start: datetime, timezone: str) -> date:
    """Give the last local date on which the start's time of day is not after `until`."""
    if not isinstance(until, datetime):
        return until
    if until.tzinfo is None:
        return until.date() if start.time() <= until.time() else _before(until.date())
    # Of a time that occurs twice, the first occurrence counts: clocks alone would not tell.
    shown = wall_time(until, timezone).date()
    return shown if local_instant(shown, start.time(), timezone) <= until else _before(shown)


def _before(on: date) -> date:
    return on - _ONE_DAY if on > date.min else on


def _last_date(rule: Recurrence, start: date) -> date | None:
    """Give the last date of a rule that ends. Raises RecurrenceError where it never rings, or never ends."""
    dates = recurrence_dates(rule, start, least=start, within_days=_FIRST_WITHIN_DAYS)
    first = next(dates, None)
    if first is None or (first - start).days > _FIRST_WITHIN_DAYS:
        raise RecurrenceError("has no date within 8 years of localDateTime")
    if isinstance(rule.until, date):
        if first > rule.until:
            raise RecurrenceError(f"UNTIL ends the rule before its first date, {first}")
        return rule.until
    if rule.count is None:
        return None
    counted = takewhile(
        lambda on: (on - start).days <= HUNDRED_YEARS_DAYS, recurrence_dates(rule, start, least=start)
    )
    last = next(islice(counted, rule.count - 1, None), None)
    if last is None:
        raise RecurrenceError("COUNT reaches further than 100 years")
    return last
