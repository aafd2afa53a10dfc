"""The fields of a user, one function each: text in, value out, FieldError with the reason otherwise."""

import re
from datetime import UTC, date, datetime, time, timedelta

from domain.occasion import LeapDayPolicy
from domain.zones import UnknownZone, zone

from user_api.refusals import FieldProblem, InvalidInputError
from user_api.user import Details

MOST_NAME = 100
MOST_KEY = 200
MOST_EMAIL = 254  # RFC 5321 §4.5.3.1.3, less its angle brackets

# Written so that Python, ECMA-262 and Rust read them alike: openapi.json gives them to clients as they are.
# PostgreSQL cannot hold NUL; the others break lines and logs.
_CONTROL = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
_INVISIBLE = (
    r" \u00a0\u00ad\u061c\u1680\u180e\u2000-\u200f\u202a-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb"
)
_NOT_IN_EMAIL = r"\u0000-\u0020\u007f-\u00a0\u00ad\u1680\u2000-\u206f\u3000\ufeff"
_ATOM = rf'[^{_NOT_IN_EMAIL}"(),.:;<>@\[\\\]]'
_LETTER = rf"[^{_NOT_IN_EMAIL}!-/:-@\[-`{{-~]"
_LABEL = rf"{_LETTER}(?:(?:{_LETTER}|-){{0,61}}{_LETTER})?"
LINE_PATTERN = rf"^[{_INVISIBLE}]*[^{_CONTROL}{_INVISIBLE}][^{_CONTROL}]*$"
EMAIL_PATTERN = rf"^ *{_ATOM}(?:\.?{_ATOM}){{0,63}}@(?:{_LABEL}\.)+{_LABEL} *$"
DATE_PATTERN = r"^(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}$"
LOCAL_TIME_PATTERN = r"^(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?$"

_A_DAY = timedelta(days=1)
_LINE = re.compile(LINE_PATTERN)
_EMAIL = re.compile(EMAIL_PATTERN)
_DATE = re.compile(DATE_PATTERN)
_LOCAL_TIME = re.compile(LOCAL_TIME_PATTERN)
# Half of a character cannot be in UTF-8, though JSON can spell it, so no pattern above speaks of it.
_UNPRINTABLE = re.compile(rf"[{_CONTROL}\ud800-\udfff]")


class FieldError(ValueError):
    """A value is not what its field takes; the text says why, without the value."""


def name(text: str) -> str:
    """Read a name: a line of up to 100 characters."""
    return line(text, MOST_NAME)


def import_key(text: str) -> str:
    """Read the client's key of an imported user, a line of up to 200 characters."""
    return line(text, MOST_KEY)


def line(text: str, most: int) -> str:
    """Read a line of text: 1 to `most` characters, outer spaces included, no control characters."""
    if len(text) > most:
        raise FieldError(f"is longer than {most} characters")
    # Nearly every text is printable, which is told in C, and leaves spaces as all that could be invisible.
    if text.isprintable() and (stripped := text.strip()):
        return stripped
    if _UNPRINTABLE.search(text):
        raise FieldError("has control characters or half of a character")
    if _LINE.fullmatch(text) is None:
        raise FieldError("is blank")
    return text.strip()


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
    """Read an e-mail address, at most 254 characters, outer spaces included; Unicode is fine (RFC 6531)."""
    if len(text) > MOST_EMAIL:
        raise FieldError(f"is longer than {MOST_EMAIL} characters")
    if _EMAIL.fullmatch(text) is None or _UNPRINTABLE.search(text):
        raise FieldError("is not an e-mail address")
    return text.strip()


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
    # No zone is a whole day behind UTC, which spares an import 2 µs a line.
    return born >= now.astimezone(UTC).date() - _A_DAY and born > now.astimezone(zone(timezone)).date()


def refuse_future_birth(details: Details, now: datetime) -> None:
    """Raise InvalidInputError for a birth after today."""
    if is_future_birth(details.date_of_birth, details.timezone, now):
        raise InvalidInputError([FUTURE_BIRTH])


FUTURE_BIRTH = FieldProblem("dateOfBirth", "is in the future")
