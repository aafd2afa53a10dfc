from datetime import UTC, date, datetime, time
from zoneinfo import available_timezones

import pytest
from domain.due_dates import local_instant
from domain.zones import UnknownZone, zone
from hypothesis import given, settings
from hypothesis import strategies as st

ZONES = sorted(available_timezones())


@pytest.mark.parametrize(
    ("on", "at", "timezone", "expected"),
    [
        # ordinary days
        ("2027-03-15", "09:00", "America/New_York", "2027-03-15T13:00:00Z"),
        ("2027-01-15", "09:00", "Asia/Kathmandu", "2027-01-15T03:15:00Z"),
        ("2027-06-01", "09:00", "Pacific/Kiritimati", "2027-05-31T19:00:00Z"),
        # a gap takes the offset before it: 02:30 rings at 03:30 on the wall
        ("2027-03-14", "02:30", "America/New_York", "2027-03-14T07:30:00Z"),
        ("2027-03-28", "02:00", "Europe/Berlin", "2027-03-28T01:00:00Z"),
        # a gap at midnight
        ("2027-04-30", "00:00", "Africa/Cairo", "2027-04-29T22:00:00Z"),
        ("2020-03-08", "00:00", "America/Havana", "2020-03-08T05:00:00Z"),
        ("2027-09-05", "00:00", "America/Santiago", "2027-09-05T04:00:00Z"),
        ("2027-03-28", "00:00", "Asia/Beirut", "2027-03-27T22:00:00Z"),
        ("2027-03-28", "00:00", "Atlantic/Azores", "2027-03-28T01:00:00Z"),
        # an overlap takes its first occurrence
        ("2027-11-07", "01:30", "America/New_York", "2027-11-07T05:30:00Z"),
        ("2027-10-31", "02:30", "Europe/Berlin", "2027-10-31T00:30:00Z"),
        ("2027-04-04", "01:45", "Australia/Lord_Howe", "2027-04-03T14:45:00Z"),
        # a date the zone skipped whole: 09:00 rings when the wall says 09:00 a date later
        ("2011-12-30", "09:00", "Pacific/Apia", "2011-12-30T19:00:00Z"),
        ("2011-12-30", "09:00", "Pacific/Fakaofo", "2011-12-30T20:00:00Z"),
        ("1994-12-31", "09:00", "Pacific/Kiritimati", "1994-12-31T19:00:00Z"),
        ("1994-12-31", "09:00", "Pacific/Kanton", "1994-12-31T20:00:00Z"),
        ("1993-08-21", "09:00", "Pacific/Kwajalein", "1993-08-21T21:00:00Z"),
        # before zones were zones: local mean time, to the second
        ("1850-06-01", "12:00", "Europe/Amsterdam", "1850-06-01T11:42:30Z"),
    ],
)
def test_a_local_time_is_this_instant(on: str, at: str, timezone: str, expected: str) -> None:
    actual = local_instant(date.fromisoformat(on), time.fromisoformat(at), timezone)
    assert (datetime.fromisoformat(expected), UTC) == (actual, actual.tzinfo)


@settings(max_examples=1000)
@given(
    on=st.dates(date(1900, 1, 1), date(2100, 12, 31)),
    at=st.times().map(lambda at: at.replace(microsecond=0)),
    timezone=st.sampled_from(ZONES),
)
def test_shown_in_its_zone_an_instant_is_the_time_promised_or_that_time_was_skipped(
    on: date, at: time, timezone: str
) -> None:
    promised = datetime.combine(on, at.replace(fold=0))
    shown = local_instant(on, at, timezone).astimezone(zone(timezone))
    wall = shown.replace(tzinfo=None, fold=0)
    if wall == promised:
        assert shown.fold == 0  # of two, the first
    else:
        after_gap = promised.replace(tzinfo=zone(timezone), fold=1).utcoffset()
        before_gap = promised.replace(tzinfo=zone(timezone), fold=0).utcoffset()
        assert before_gap is not None
        assert after_gap is not None
        assert (after_gap - before_gap, True) == (wall - promised, wall > promised)


def test_a_fold_in_the_time_asked_for_means_nothing() -> None:
    twice = local_instant(date(2027, 11, 7), time(1, 30, fold=1), "America/New_York")
    assert datetime(2027, 11, 7, 5, 30, tzinfo=UTC) == twice


def test_the_calendars_ends_do_not_overflow_in_any_zone() -> None:
    earliest = max(local_instant(date.min, time.min, name) for name in ZONES)
    latest = min(local_instant(date.max, time(23, 59, 59), name) for name in ZONES)
    assert earliest < datetime(1, 1, 2, tzinfo=UTC)
    assert latest > datetime(9999, 12, 30, tzinfo=UTC)


def test_beyond_the_calendar_an_instant_is_its_first_or_last() -> None:
    first = local_instant(date.min, time.min, "Asia/Tokyo")
    last = local_instant(date.max, time(23), "America/New_York")
    assert (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)) == (first, last)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(UnknownZone):
        local_instant(date(2027, 1, 1), time(9), "Mars/Olympus")
