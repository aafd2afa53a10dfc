"""Occasions: what a user has that comes round."""

from datetime import date, time
from enum import StrEnum

import msgspec

DEFAULT_SEND_AT_LOCAL = time(9)
"""When an occasion rings on its day, local time, unless the user or the occasion says otherwise."""


class OccasionType(StrEnum):
    """The kinds of occasion."""

    BIRTHDAY = "BIRTHDAY"
    ANNIVERSARY = "ANNIVERSARY"
    REMINDER = "REMINDER"
    NOTIFICATION = "NOTIFICATION"


class LeapDayPolicy(StrEnum):
    """Where a February 29 goes in a year that has none."""

    FEB_28 = "feb_28"
    MAR_1 = "mar_1"
    SKIP = "skip"


class Birthday(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides when a birthday rings: a local date and time in an IANA zone, never an instant."""

    date_of_birth: date
    send_at_local: time
    timezone: str
    leap_day_policy: LeapDayPolicy
