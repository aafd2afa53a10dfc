"""How occasions come round: all that decides when one rings; `domain.kinds` has what kinds there are."""

from datetime import date, datetime, time
from enum import StrEnum

import msgspec

DEFAULT_SEND_AT_LOCAL = time(9)
"""When an occasion rings on its day, local time, unless the user or the occasion says otherwise."""

LocalDate = date  # a field named `date` hides the type


class LeapDayPolicy(StrEnum):
    """Where a February 29 goes in a year that has none."""

    FEB_28 = "feb_28"
    MAR_1 = "mar_1"
    SKIP = "skip"


class Yearly(msgspec.Struct, frozen=True, kw_only=True):
    """Once a year, as a birthday does: a local date and time in an IANA zone, never an instant.

    `date` is the first one: the date of birth, the wedding. Nothing before it rings.
    """

    date: LocalDate
    send_at_local: time
    timezone: str
    leap_day_policy: LeapDayPolicy


class Reminder(msgspec.Struct, frozen=True, kw_only=True):
    """A reminder's rule: a local date and time (naive, whole seconds), once or by a recurrence rule.

    `rrule` and `last_date` are what `domain.recurrence.recurrence` gave when the rule was set: `last_date` is
    the last local date that may ring, so COUNT and UNTIL are not read again.
    """

    local_date_time: datetime
    rrule: str | None
    last_date: LocalDate | None
    timezone: str


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """A notification's rule: an instant (UTC). The zone decides only how it is shown."""

    at: datetime
    timezone: str


Rule = Yearly | Reminder | Notification
"""All that decides when an occasion rings."""
