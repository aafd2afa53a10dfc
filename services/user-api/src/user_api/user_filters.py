"""What a list of users may be narrowed by."""

import re
from collections.abc import Mapping
from datetime import date

from msgspec import Struct

from user_api import parse_fields as read
from user_api.query import read_filter
from user_api.refusals import FieldProblem, InvalidInputError

USER_FILTERS = frozenset({"timezone", "email", "birthdayFrom", "birthdayTo"})

MONTH_DAY_PATTERN = (
    r"^(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|[12][0-9]))$"
)

_MONTH_DAY = re.compile(r"[0-9]{2}-[0-9]{2}")
_LEAP_YEAR = "2000"


class Window(Struct, frozen=True):
    """Days of the year, both included, as month * 100 + day; `first` after `last` holds a new year."""

    first: int
    last: int


class UserFilters(Struct, frozen=True, kw_only=True):
    """Each narrows the list further; None does not."""

    timezone: str | None = None
    email: str | None = None
    birthdays: Window | None = None


def read_user_filters(query: Mapping[str, str]) -> UserFilters:
    """Read the filters. Raises InvalidInputError, which names every parameter at fault."""
    faults: list[FieldProblem] = []
    timezone = read_filter(query, "timezone", read.timezone, faults)
    email = read_filter(query, "email", read.email, faults)
    first = read_filter(query, "birthdayFrom", _month_day, faults)
    last = read_filter(query, "birthdayTo", _month_day, faults)
    for end, other in (("birthdayFrom", "birthdayTo"), ("birthdayTo", "birthdayFrom")):
        if end not in query and other in query:
            # Half a window could be one day, or all the rest of the year: better to ask than to guess.
            faults.append(FieldProblem(end, "is missing: a window has two ends"))
    if faults:
        raise InvalidInputError(faults)
    window = Window(first, last) if first is not None and last is not None else None
    return UserFilters(timezone=timezone, email=email, birthdays=window)


def month_day(day: date) -> int:
    """Give a date's day of the year as windows count it: 229 is February 29."""
    return day.month * 100 + day.day


def _month_day(text: str) -> int:
    if _MONTH_DAY.fullmatch(text) is None:
        raise read.FieldError("is not a day of the year as MM-DD")
    try:
        return month_day(date.fromisoformat(f"{_LEAP_YEAR}-{text}"))
    except ValueError:
        raise read.FieldError("is not a day of the calendar") from None
