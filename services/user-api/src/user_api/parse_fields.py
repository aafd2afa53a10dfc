"""The fields of a user, one function each: text in, value out, FieldError with the reason otherwise."""

import re
import unicodedata
from datetime import date, datetime, time

from domain.occasion import LeapDayPolicy
from domain.zones import UnknownZone, zone

from user_api.refusals import FieldProblem, InvalidInputError
from user_api.user import Details

MOST_NAME = 100
MOST_KEY = 200
MOST_EMAIL = 254  # RFC 5321 §4.5.3.1.3, less its angle brackets

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LOCAL_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?")
_WORD = r'[^\s.@"(),:;<>\[\]\\]+'
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_EMAIL = re.compile(rf"(?=[^@]{{1,64}}@){_WORD}(?:\.{_WORD})*@(?:{_LABEL}\.)+{_LABEL}")
# PostgreSQL cannot hold NUL and lone surrogates; the others break lines and logs.
_CONTROL = frozenset({"Cc", "Cs", "Zl", "Zp"})
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})


class FieldError(ValueError):
    """A value is not what its field takes; the text says why, without the value."""


def name(text: str) -> str:
    """Read a name: 1 to 100 characters between outer spaces, no control characters."""
    return line(text, MOST_NAME)


def import_key(text: str) -> str:
    """Read the client's key of an imported user, as a name, of up to 200 characters."""
    return line(text, MOST_KEY)


def line(text: str, most: int) -> str:
    """Read a line of text: 1 to `most` characters between outer spaces, no control characters."""
    trimmed = text.strip()
    if len(trimmed) > most:
        raise FieldError(f"is longer than {most} characters")
    # One test in C for nearly every text; zero-width joiners and the like need the closer look.
    if not trimmed.isprintable() and not _CONTROL.isdisjoint(map(unicodedata.category, trimmed)):
        raise FieldError("has control characters or half of a character")
    if _INVISIBLE.issuperset(map(unicodedata.category, trimmed)):
        raise FieldError("is blank")
    return trimmed


def date_of_birth(text: str) -> date:
    """Read a date of birth, of any year: address books know 1604 for "no year"."""
    return calendar_date(text)


def calendar_date(text: str) -> date:
    """Read a date of the calendar, YYYY-MM-DD."""
    if _DATE.fullmatch(text) is None:
        raise FieldError("is not a date as YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise FieldError("is not a date of the calendar") from None


def timezone(text: str) -> str:
    """Read the exact name of an IANA time zone."""
    try:
        zone(text)
    except UnknownZone:
        raise FieldError("is not an IANA time zone, such as Asia/Tokyo") from None
    return text


def email(text: str) -> str:
    """Read an e-mail address, at most 254 characters between outer spaces; Unicode is fine (RFC 6531)."""
    trimmed = text.strip()
    if len(trimmed) > MOST_EMAIL:
        raise FieldError(f"is longer than {MOST_EMAIL} characters")
    if not trimmed.isprintable() or _EMAIL.fullmatch(trimmed) is None:
        raise FieldError("is not an e-mail address")
    return trimmed


def send_at_local(text: str) -> time:
    """Read a local time, HH:MM or HH:MM:SS, 00:00 to 23:59:59."""
    if _LOCAL_TIME.fullmatch(text) is None:
        raise FieldError("is not a local time as HH:MM or HH:MM:SS")
    return time.fromisoformat(text)


def leap_day_policy(text: str) -> LeapDayPolicy:
    """Read where February 29 goes in other years."""
    try:
        return LeapDayPolicy(text)
    except ValueError:
        raise FieldError(f"is none of {', '.join(LeapDayPolicy)}") from None


def is_future_birth(born: date, timezone: str, now: datetime) -> bool:
    """Tell whether a date of birth is after today, where the user lives."""
    return born > now.astimezone(zone(timezone)).date()


def refuse_future_birth(details: Details, now: datetime) -> None:
    """Raise InvalidInputError for a birth after today."""
    if is_future_birth(details.date_of_birth, details.timezone, now):
        raise InvalidInputError([FUTURE_BIRTH])


FUTURE_BIRTH = FieldProblem("dateOfBirth", "is in the future")
