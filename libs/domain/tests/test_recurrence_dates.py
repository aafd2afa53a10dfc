from collections.abc import Iterator
from contextlib import contextmanager
from datetime import MAXYEAR, date, datetime, time, timedelta
from itertools import islice, takewhile
from unittest.mock import patch

import pytest
from dateutil import rrule as dateutil
from domain import recurrence_dates as engine
from domain.parse_recurrence import parse_recurrence
from domain.recurrence import RecurrenceError, recurrence
from domain.recurrence_dates import recurrence_dates
from domain.recurrence_rule import WEEKDAYS, Frequency, made_explicit
from hypothesis import given, settings
from hypothesis import strategies as st

YEARS = 6


def dates(text: str, start: date, least: date | None = None) -> Iterator[date]:
    return recurrence_dates(made_explicit(parse_recurrence(text), start), start, least=least or start)


def first(count: int, text: str, start: str, least: str | None = None) -> list[str]:
    found = dates(text, date.fromisoformat(start), date.fromisoformat(least or start))
    return [on.isoformat() for on in islice(found, count)]


class Beyond(Exception):  # noqa: N818 - the end of what is compared, no error
    """Dateutil looks at UNTIL only when it has found a date: without one it walks to the year 9999."""


class Bounded(dateutil._iterinfo):  # noqa: SLF001 - the judge cannot be told
    last_year = MAXYEAR

    def rebuild(self, year: int, month: int) -> None:
        if year > Bounded.last_year:
            raise Beyond
        super().rebuild(year, month)


def judged(text: str, start: date, end: date) -> list[date]:
    """Plain dateutil, from the start, every date until `end`."""
    Bounded.last_year = end.year
    found: list[date] = []
    with patch.object(dateutil, "_iterinfo", Bounded):
        try:
            for at in dateutil.rrulestr(text, dtstart=datetime.combine(start, time())):
                if at.date() > end:
                    break
                found.append(at.date())
        except Beyond:
            pass
    return found


@contextmanager
def counted() -> Iterator[list[int]]:
    """How often the engine looked at a period: its steps, whatever the machine's speed."""
    steps = [0]
    period = engine._period  # noqa: SLF001 - counted, not called

    def count(*args: object) -> int:
        steps[0] += 1
        return period(*args)  # type: ignore[arg-type]

    with patch.object(engine, "_period", count):
        yield steps


def listed(values: st.SearchStrategy[object], most: int = 4) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=most, unique=True).map(lambda them: ",".join(map(str, them)))


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Any rule that may be written, but for days with and without a number beside each other."""
    frequency = draw(st.sampled_from(Frequency))
    months = draw(st.none() | listed(st.integers(1, 12)))
    month_days = None
    if frequency is not Frequency.WEEKLY:
        month_days = draw(st.none() | listed(st.integers(-31, 31).filter(bool)))
    nth = 5 if frequency is Frequency.MONTHLY or months else 53
    numbered = st.tuples(st.integers(-nth, nth).filter(bool), st.sampled_from(WEEKDAYS)).map(
        lambda it: f"{it[0]}{it[1]}"
    )
    weekdays = st.none() | listed(st.sampled_from(WEEKDAYS))
    if frequency in (Frequency.MONTHLY, Frequency.YEARLY):
        weekdays |= listed(numbered)
    parts = {
        "FREQ": frequency.value,
        "INTERVAL": draw(st.none() | st.integers(1, 8) | st.integers(1, 100)),
        "WKST": draw(st.none() | st.sampled_from(WEEKDAYS)),
        "BYMONTH": months,
        "BYMONTHDAY": month_days,
        "BYDAY": draw(weekdays),
    }
    if any(parts[name] for name in ("BYMONTH", "BYMONTHDAY", "BYDAY")):
        places = st.integers(-5, 5) | st.integers(-366, 366)
        parts["BYSETPOS"] = draw(st.none() | listed(places.filter(bool), most=3))
    return ";".join(f"{name}={value}" for name, value in parts.items() if value)


@settings(max_examples=300, deadline=None)
@given(text=rules(), start=st.dates(date(1999, 1, 1), date(2001, 1, 1)), ahead=st.integers(-400, 365 * YEARS))
def test_from_any_date_on_it_gives_what_dateutil_gives_from_the_start(
    text: str, start: date, ahead: int
) -> None:
    rule = parse_recurrence(text)
    if rule.positions and rule.frequency is Frequency.WEEKLY:
        start -= timedelta(days=(start.weekday() - rule.week_start) % 7)  # dateutil cuts the first week short
    end, least = date(start.year + YEARS, 12, 31), start + timedelta(days=ahead)
    expected = [on for on in judged(text, start, end) if on >= least]
    assert expected == list(takewhile(lambda on: on <= end, dates(text, start, least)))


@settings(max_examples=200, deadline=None)
@given(
    text=rules(),
    start=st.sampled_from([date(1, 1, 1), date(1, 1, 7), date(4, 2, 29), date(1990, 1, 31)]),
    least=st.sampled_from([date(2026, 11, 23), date(9990, 5, 5), date.max]),
)
def test_neither_the_rule_nor_its_age_makes_the_next_date_dear(text: str, start: date, least: date) -> None:
    with counted() as steps:
        try:
            recurrence(text, datetime.combine(start, time(9)), "UTC")
            on = next(dates(text, start, least), None)
        except RecurrenceError:
            on = None
    assert on is None or on >= least
    assert steps[0] < 10_000  # about two for each month of the hundred years that may be looked through


@pytest.mark.parametrize("start", ["1990-01-01", "0001-01-01"])
@pytest.mark.parametrize(
    "text",
    [
        "FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=7",
        "FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,FR",
        "FREQ=MONTHLY;INTERVAL=7",
        "FREQ=YEARLY;INTERVAL=3;BYMONTH=2;BYMONTHDAY=28",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    ],
)
def test_a_rule_as_old_as_the_calendar_is_advanced_in_a_few_steps(text: str, start: str) -> None:
    with counted() as steps:
        on = next(dates(text, date.fromisoformat(start), date(2026, 11, 23)))
    assert on - date(2026, 11, 23) < timedelta(days=4 * 366)
    assert steps[0] <= 60


@pytest.mark.parametrize(
    ("text", "start", "least", "expected"),
    [
        # months without the day are left out
        ("FREQ=MONTHLY", "2027-01-31", None, ["2027-01-31", "2027-03-31", "2027-05-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2027-01-31", None, ["2027-01-31", "2027-02-28", "2027-03-31"]),
        ("FREQ=YEARLY", "2024-02-29", "2096-03-01", ["2104-02-29", "2108-02-29"]),
        # the start's phase, found again from far away
        ("FREQ=DAILY;INTERVAL=7", "1990-01-01", "2026-11-24", ["2026-11-30", "2026-12-07"]),
        ("FREQ=MONTHLY;INTERVAL=5", "1990-01-15", "2026-11-24", ["2027-02-15", "2027-07-15"]),
        # RFC 5545's own example of WKST
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU",
            "1997-08-05",
            None,
            ["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"],
        ),
        (
            "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU",
            "1997-08-05",
            None,
            ["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"],
        ),
        # a day's number counts in the year, or in the months named (the first is RFC 5545's example)
        ("FREQ=YEARLY;BYDAY=20MO", "1997-05-19", None, ["1997-05-19", "1998-05-18", "1999-05-17"]),
        ("FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU", "2027-01-01", None, ["2027-03-28", "2027-10-31"]),
        # a start that does not match is no date
        ("FREQ=WEEKLY;BYDAY=MO", "2026-11-24", None, ["2026-11-30", "2026-12-07"]),
        # days with and without a number are a union (RFC 5545; dateutil takes only what is both)
        ("FREQ=MONTHLY;BYDAY=1TU,SU", "2027-02-01", None, ["2027-02-02", "2027-02-07", "2027-02-14"]),
        # the week is chosen from whole, though the start cuts it (dateutil begins it at the start)
        ("FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=1", "2026-11-25", None, ["2026-11-30", "2026-12-07"]),
    ],
)
def test_the_dates_of_a_rule(text: str, start: str, least: str | None, expected: list[str]) -> None:
    assert expected == first(len(expected), text, start, least)


@pytest.mark.parametrize("frequency", Frequency)
@pytest.mark.parametrize("interval", [1, 2, 100])
def test_the_calendars_ends_do_not_overflow(frequency: Frequency, interval: int) -> None:
    for extra in (
        "",
        ";WKST=SU",
        ";BYMONTH=12",
        ";BYMONTH=1,12;BYSETPOS=-1",
        ";WKST=SU;BYMONTH=1;BYSETPOS=1",
    ):
        text = f"FREQ={frequency};INTERVAL={interval}{extra}"
        assert all(on <= date.max for on in dates(text, date(9990, 12, 31)))
        assert all(on >= date.min for on in islice(dates(text, date.min), 3))
        assert len(list(dates(text, date.max))) <= 1


def test_a_rule_ends_where_no_date_follows_for_a_hundred_years() -> None:
    assert first(2, "FREQ=YEARLY;INTERVAL=100", "2000-01-01") == ["2000-01-01", "2100-01-01"]
    assert first(2, "FREQ=YEARLY;INTERVAL=100", "2000-02-29") == ["2000-02-29"]
    assert first(2, "FREQ=DAILY;BYMONTHDAY=29;BYMONTH=2;BYDAY=MO", "2072-02-29") == [
        "2072-02-29",
        "2112-02-29",
    ]
    chosen = "FREQ=MONTHLY;INTERVAL=12;BYDAY=MO;BYSETPOS=5"  # of Februaries, where the 29th is a Monday
    assert first(2, chosen, "2072-02-29") == ["2072-02-29", "2112-02-29"]
    with counted() as steps:
        assert first(1, "FREQ=WEEKLY;BYMONTH=2;BYDAY=MO;BYSETPOS=2", "2000-01-01") == []
    assert steps[0] < 6000
