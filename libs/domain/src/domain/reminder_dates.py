"""The dates of reminders and notifications."""

from collections.abc import Iterator
from datetime import UTC, date

from domain.due_date import DueDate, local_instant, wall_time
from domain.occasion import Notification, Reminder
from domain.parse_recurrence import parse_recurrence
from domain.recurrence_dates import recurrence_dates
from domain.recurrence_rule import made_explicit


def reminder_dates(rule: Reminder, *, least: str) -> Iterator[DueDate]:
    """Give every date from a nominal date on, in order. Raises UnknownZone; RecurrenceError for a bad rule.

    A start that does not match its own rule is not a date of it.
    """
    at = rule.local_date_time.time()
    for on in _local_dates(rule, least):
        if rule.last_date is not None and on > rule.last_date:
            return
        if on.isoformat() >= least:
            yield DueDate(
                nominal_date=on.isoformat(),
                local_date=on,
                local_time=at,
                due_at=local_instant(on, at, rule.timezone),
            )


def notification_dates(rule: Notification, *, least: str) -> Iterator[DueDate]:
    """Give its one date, if that is not before `least`: the UTC date, which no change of zone moves."""
    nominal_date = rule.at.astimezone(UTC).date().isoformat()
    if nominal_date >= least:
        shown = wall_time(rule.at, rule.timezone)
        yield DueDate(
            nominal_date=nominal_date, local_date=shown.date(), local_time=shown.time(), due_at=rule.at
        )


def _local_dates(rule: Reminder, least: str) -> Iterator[date]:
    start = rule.local_date_time.date()
    if rule.rrule is None:
        return iter([start])
    return recurrence_dates(
        made_explicit(parse_recurrence(rule.rrule), start), start, least=_date_near(least)
    )


def _date_near(nominal_date: str) -> date:
    """Give a nominal date as a date, or the day before a leap day that the year does not have."""
    try:
        return date.fromisoformat(nominal_date)
    except ValueError:
        return date.fromisoformat(f"{nominal_date[:8]}28")
