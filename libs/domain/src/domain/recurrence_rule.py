"""A recurrence rule (RFC 5545 §3.3.10) as its parts: the part of the grammar that a reminder may use."""

from datetime import date, datetime
from enum import StrEnum

import msgspec
from msgspec.structs import replace

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class RecurrenceError(ValueError):
    """The rule cannot be kept; the message is the reason, for whoever wrote it."""


class Frequency(StrEnum):
    """How long a rule's period is."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


class Weekday(msgspec.Struct, frozen=True, order=True):
    """A weekday (0 is Monday): the nth of its month or year, from the end where negative; 0 is every one."""

    nth: int
    day: int


class Recurrence(msgspec.Struct, frozen=True, kw_only=True):
    """A rule's parts; lists are in order, without repeats. `until` is local time unless it has a zone."""

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: date | datetime | None = None
    week_start: int = 0
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    weekdays: tuple[Weekday, ...] = ()
    positions: tuple[int, ...] = ()


def made_explicit(rule: Recurrence, start: date) -> Recurrence:
    """Add what RFC 5545 reads from the start where the rule does not say which days it means."""
    if rule.weekdays or rule.month_days:
        return rule
    match rule.frequency:
        case Frequency.DAILY:
            return rule
        case Frequency.WEEKLY:
            return replace(rule, weekdays=(Weekday(0, start.weekday()),))
        case Frequency.MONTHLY:
            return replace(rule, month_days=(start.day,))
        case Frequency.YEARLY:
            return replace(rule, month_days=(start.day,), months=rule.months or (start.month,))


def write_recurrence(rule: Recurrence) -> str:
    """Write a rule in its one normal form; reading that gives the rule again, `until` as a date."""
    parts = {
        "FREQ": rule.frequency.value,
        "INTERVAL": rule.interval if rule.interval > 1 else None,
        "COUNT": rule.count,
        "UNTIL": rule.until and rule.until.isoformat()[:10].replace("-", ""),
        "WKST": WEEKDAYS[rule.week_start] if rule.week_start else None,
        "BYMONTH": _listed(rule.months),
        "BYMONTHDAY": _listed(rule.month_days),
        "BYDAY": ",".join(f"{it.nth or ''}{WEEKDAYS[it.day]}" for it in rule.weekdays),
        "BYSETPOS": _listed(rule.positions),
    }
    return ";".join(f"{name}={value}" for name, value in parts.items() if value)


def _listed(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))
