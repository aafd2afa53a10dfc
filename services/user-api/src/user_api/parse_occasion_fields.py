"""The fields of an occasion, one function each: text in, value out, FieldError with the reason otherwise."""

import re
from datetime import UTC, date, datetime

from domain.priority import Priority
from domain.recurrence import RecurrenceError, recurrence

from user_api.occasion_fields import FIELDS
from user_api.parse_fields import FieldError, line

MOST_MESSAGE = 1000
NOW = "now"

_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
LOCAL_DATE_TIME_PATTERN = rf"^(?!0000){_DATE}T{_TIME}(?::[0-5][0-9])?$"
# RFC 3339 §5.6; a leap second is no second of ours.
INSTANT_PATTERN = rf"^(?!0000){_DATE}[Tt]{_TIME}:[0-5][0-9](?:\.[0-9]{{1,9}})?(?:[Zz]|[+-]{_TIME})$"

_LOCAL_DATE_TIME = re.compile(LOCAL_DATE_TIME_PATTERN)
_INSTANT = re.compile(INSTANT_PATTERN)


def occasion_type(text: str) -> str:
    """Read one of the types that a client may create."""
    if text not in FIELDS:
        raise FieldError(f"is none of {', '.join(FIELDS)}")
    return text


def message(text: str) -> str:
    """Read what is to be said: 1 to 1000 characters between outer spaces, no control characters."""
    return line(text, MOST_MESSAGE)


def local_date_time(text: str) -> datetime:
    """Read a local date and time, YYYY-MM-DDTHH:MM or YYYY-MM-DDTHH:MM:SS; naive, in whatever zone."""
    if _LOCAL_DATE_TIME.fullmatch(text) is None:
        raise FieldError("is not a local date and time as YYYY-MM-DDTHH:MM or YYYY-MM-DDTHH:MM:SS")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise FieldError("is not a date of the calendar") from None


def instant(text: str) -> datetime:
    """Read an instant with its offset (RFC 3339), to the microsecond; in UTC."""
    if _INSTANT.fullmatch(text) is None:
        raise FieldError("is not an instant with an offset, such as 2030-01-31T09:00:00Z")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise FieldError("is not a date of the calendar") from None


def at(text: str) -> datetime | None:
    """Read an instant, or "now", which is None: the database's clock says when that is."""
    if text == NOW:
        return None
    try:
        return instant(text)
    except FieldError as error:
        raise FieldError(f'{error}, and not "{NOW}"') from None


def rrule(text: str, starts: datetime, timezone: str) -> tuple[str, date | None]:
    """Read a rule of recurrence (RFC 5545 §3.3.10) from its local start on, and find its last date."""
    try:
        return recurrence(text, starts, timezone)
    except RecurrenceError as error:
        raise FieldError(str(error)) from None


def priority(text: str) -> Priority:
    """Read how urgent an occasion is."""
    try:
        return Priority(text)
    except ValueError:
        raise FieldError(f"is none of {', '.join(Priority)}") from None
