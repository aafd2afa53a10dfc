"""The dates of birthdays and anniversaries, and what a change of one opens."""

from collections.abc import Iterator
from datetime import MAXYEAR, date

from domain.due_date import DueDate, local_instant
from domain.occasion import LeapDayPolicy, LocalDate, Yearly


def yearly_dates(rule: Yearly, *, least: str) -> Iterator[DueDate]:
    """Give every date from a nominal date on, in order, none before the first one. Raises UnknownZone."""
    for year in range(max(int(least[:4]), rule.date.year), MAXYEAR + 1):
        nominal_date = f"{year:04}-{rule.date.month:02}-{rule.date.day:02}"
        local_date = _kept_on(rule, year)
        if local_date is not None and nominal_date >= least:
            yield DueDate(
                nominal_date=nominal_date,
                local_date=local_date,
                local_time=rule.send_at_local,
                due_at=local_instant(local_date, rule.send_at_local, rule.timezone),
            )


def month_day(rule: Yearly) -> tuple[int, int]:
    """Give the month and the day it comes round on."""
    return rule.date.month, rule.date.day


def is_leap_day(day: LocalDate) -> bool:
    """Tell whether what comes round on a day needs a leap-day policy."""
    return (day.month, day.day) == (2, 29)


def _kept_on(rule: Yearly, year: int) -> date | None:
    if not is_leap_day(rule.date) or _is_leap(year):
        return rule.date.replace(year=year)
    match rule.leap_day_policy:
        case LeapDayPolicy.FEB_28:
            return date(year, 2, 28)
        case LeapDayPolicy.MAR_1:
            return date(year, 3, 1)
        case LeapDayPolicy.SKIP:
            return None


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
