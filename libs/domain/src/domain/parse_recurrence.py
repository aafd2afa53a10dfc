"""Reading a recurrence rule's text; what is not supported is refused by name."""

import re
from datetime import UTC, date, datetime
from functools import lru_cache

from domain.recurrence_rule import WEEKDAYS, Frequency, Recurrence, RecurrenceError, Weekday

LONGEST_TEXT = 500
MOST_DATES = 1000
LONGEST_INTERVAL = {
    Frequency.DAILY: 1000,
    Frequency.WEEKLY: 1000,
    Frequency.MONTHLY: 1000,
    Frequency.YEARLY: 100,
}

_PARTS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS")
_FURTHEST_WEEKDAY = {Frequency.MONTHLY: 5, Frequency.YEARLY: 53}
_INTEGER = re.compile(r"[+-]?[0-9]{1,5}")
_WEEKDAY = re.compile(rf"([+-]?[0-9]{{1,2}})?({'|'.join(WEEKDAYS)})")
_UNTIL = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2})(Z?))?")


@lru_cache(maxsize=4096)  # planning reads the same few rules again and again
def parse_recurrence(text: str) -> Recurrence:
    """Read a rule in any case, `RRULE:` before it or not. Raises RecurrenceError with the reason."""
    parts = _parts(text)
    frequency = _frequency(parts)
    rule = Recurrence(
        frequency=frequency,
        interval=_integer("INTERVAL", parts.get("INTERVAL", "1"), 1, LONGEST_INTERVAL[frequency]),
        count=_integer("COUNT", parts["COUNT"], 1, MOST_DATES) if "COUNT" in parts else None,
        until=_until(parts["UNTIL"]) if "UNTIL" in parts else None,
        week_start=_week_start(parts.get("WKST", "MO")),
        months=_integers(parts, "BYMONTH", 1, 12),
        month_days=_integers(parts, "BYMONTHDAY", -31, 31),
        weekdays=_weekdays(parts, frequency),
        positions=_integers(parts, "BYSETPOS", -366, 366),
    )
    _refuse_together(rule)
    return rule


def _parts(text: str) -> dict[str, str]:
    if len(text) > LONGEST_TEXT or not text.isascii():
        raise RecurrenceError(f"must be at most {LONGEST_TEXT} ASCII characters")
    parts: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise RecurrenceError(
                "must be NAME=VALUE parts with ; between them, such as FREQ=WEEKLY;BYDAY=MO"
            )
        if name not in _PARTS:
            raise RecurrenceError(f"{_shown(name)} is not supported: use {', '.join(_PARTS)}")
        if name in parts:
            raise RecurrenceError(f"{name} is there twice")
        parts[name] = value
    return parts


def _frequency(parts: dict[str, str]) -> Frequency:
    value = parts.get("FREQ")
    if value is None:
        raise RecurrenceError("FREQ is missing")
    if value not in list(Frequency):
        raise RecurrenceError(f"FREQ={_shown(value)} is not supported: use {', '.join(Frequency)}")
    return Frequency(value)


def _refuse_together(rule: Recurrence) -> None:
    if rule.count is not None and rule.until is not None:
        raise RecurrenceError("COUNT and UNTIL exclude each other")
    if rule.month_days and rule.frequency is Frequency.WEEKLY:
        raise RecurrenceError("BYMONTHDAY does not go with FREQ=WEEKLY")
    if rule.positions and not (rule.months or rule.month_days or rule.weekdays):
        raise RecurrenceError("BYSETPOS needs another BY part to choose from")


def _integer(name: str, value: str, least: int, most: int) -> int:
    number = int(value) if _INTEGER.fullmatch(value) else 0
    if number == 0 or not least <= number <= most:
        expected = f"{least} to {most}" if least > 0 else f"1 to {most} or -1 to {least}"
        raise RecurrenceError(f"{name} must be {expected}, not {_shown(value)}")
    return number


def _integers(parts: dict[str, str], name: str, least: int, most: int) -> tuple[int, ...]:
    if name not in parts:
        return ()
    return tuple(sorted({_integer(name, value, least, most) for value in parts[name].split(",")}))


def _weekdays(parts: dict[str, str], frequency: Frequency) -> tuple[Weekday, ...]:
    if "BYDAY" not in parts:
        return ()
    return tuple(sorted({_weekday(value, frequency) for value in parts["BYDAY"].split(",")}))


def _weekday(value: str, frequency: Frequency) -> Weekday:
    found = _WEEKDAY.fullmatch(value)
    if found is None:
        raise RecurrenceError(f"BYDAY must name days such as MO or -1FR, not {_shown(value)}")
    nth, day = found.groups()
    if nth is None:
        return Weekday(0, WEEKDAYS.index(day))
    furthest = _FURTHEST_WEEKDAY.get(frequency)
    if furthest is None:
        raise RecurrenceError(
            f"BYDAY={_shown(value)} does not go with FREQ={frequency}: a day without a number"
        )
    return Weekday(_integer("the number of a BYDAY", nth, -furthest, furthest), WEEKDAYS.index(day))


def _week_start(value: str) -> int:
    if value not in WEEKDAYS:
        raise RecurrenceError(f"WKST must be one of {', '.join(WEEKDAYS)}, not {_shown(value)}")
    return WEEKDAYS.index(value)


def _until(value: str) -> date | datetime:
    found = _UNTIL.fullmatch(value)
    try:
        if found is not None:
            *numbers, utc = found.groups()
            year, month, day, *at = (int(number) for number in numbers if number is not None)
            if not at:
                return date(year, month, day)
            hour, minute, second = at
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC if utc else None)
    except ValueError:
        pass
    raise RecurrenceError(f"UNTIL must be YYYYMMDD, YYYYMMDDTHHMMSS or YYYYMMDDTHHMMSSZ, not {_shown(value)}")


def _shown(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:20]}…"  # noqa: PLR2004 - the rest says nothing more
