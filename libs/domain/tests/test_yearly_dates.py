from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import available_timezones

import pytest
from domain.due_dates import DueDate, next_due_at, planned
from domain.occasion import LeapDayPolicy, Yearly
from hypothesis import given
from hypothesis import strategies as st

ZONES = sorted(available_timezones())
LEAPLING = date(1992, 2, 29)


def birthday(born: date, timezone: str = "UTC", policy: str = "feb_28", at: time = time(9)) -> Yearly:
    return Yearly(date=born, send_at_local=at, timezone=timezone, leap_day_policy=LeapDayPolicy(policy))


birthdays = st.builds(
    Yearly,
    date=st.dates(date(1900, 1, 1), date(2100, 12, 31)) | st.just(LEAPLING),
    send_at_local=st.times().map(lambda at: at.replace(microsecond=0)),
    timezone=st.sampled_from(ZONES),
    leap_day_policy=st.sampled_from(LeapDayPolicy),
)
instants = st.datetimes(datetime(1900, 1, 1), datetime(2100, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("born", "zone", "after", "nominal_date", "due_at"),
    [
        (date(1990, 3, 14), "America/New_York", "2027-03-14T12:59:59Z", "2027-03-14", "2027-03-14T13:00:00Z"),
        (date(1990, 3, 14), "America/New_York", "2027-03-14T13:00:00Z", "2028-03-14", "2028-03-14T13:00:00Z"),
        # New Year, where the local year is not UTC's
        (
            date(1990, 1, 1),
            "Pacific/Kiritimati",
            "2026-12-31T18:59:59Z",
            "2027-01-01",
            "2026-12-31T19:00:00Z",
        ),
        (date(1990, 12, 31), "Etc/GMT+12", "2027-12-31T20:59:59Z", "2027-12-31", "2027-12-31T21:00:00Z"),
        # born this year: the day of birth itself may ring, nothing earlier
        (date(2027, 3, 14), "UTC", "2027-03-14T08:00:00Z", "2027-03-14", "2027-03-14T09:00:00Z"),
        (date(2027, 3, 14), "UTC", "2026-01-01T00:00:00Z", "2027-03-14", "2027-03-14T09:00:00Z"),
    ],
)
def test_the_next_date_after_an_instant(
    born: date, zone: str, after: str, nominal_date: str, due_at: str
) -> None:
    due = next_due_at(birthday(born, zone), after=instant(after))
    local_date = date.fromisoformat(nominal_date)
    assert (
        DueDate(nominal_date=nominal_date, local_date=local_date, local_time=time(9), due_at=instant(due_at))
        == due
    )


@pytest.mark.parametrize(
    ("policy", "after", "nominal_date", "local_date"),
    [
        ("feb_28", "2027-01-01T00:00:00Z", "2027-02-29", date(2027, 2, 28)),
        ("mar_1", "2027-01-01T00:00:00Z", "2027-02-29", date(2027, 3, 1)),
        ("skip", "2027-01-01T00:00:00Z", "2028-02-29", date(2028, 2, 29)),
        ("feb_28", "2028-01-01T00:00:00Z", "2028-02-29", date(2028, 2, 29)),
        ("mar_1", "2028-01-01T00:00:00Z", "2028-02-29", date(2028, 2, 29)),
        ("feb_28", "2099-12-31T00:00:00Z", "2100-02-29", date(2100, 2, 28)),
        ("skip", "2096-03-01T00:00:00Z", "2104-02-29", date(2104, 2, 29)),  # 2100 is no leap year
    ],
)
def test_a_leap_day_goes_where_its_policy_puts_it_and_keeps_its_name(
    policy: str, after: str, nominal_date: str, local_date: date
) -> None:
    due = next_due_at(birthday(LEAPLING, policy=policy), after=instant(after))
    assert due is not None
    assert (nominal_date, local_date) == (due.nominal_date, due.local_date)


@pytest.mark.parametrize(
    ("first_date", "after_date", "expected"),
    [
        ("2027-03-14", None, "2027-03-14"),
        ("2027-03-14", "2026-03-14", "2027-03-14"),
        ("2027-03-14", "2027-03-14", "2028-03-14"),
        ("2020-03-14", "2027-03-14", "2028-03-14"),
        ("2027-03-15", None, "2028-03-14"),
        ("2027-03-13", "2027-03-13", "2027-03-14"),
        ("2027-02-29", None, "2027-03-14"),  # a leap day's name, left by a date of birth since corrected
        ("1890-03-14", None, "1990-03-14"),  # never before the date of birth
        ("9999-03-15", None, None),
        ("9999-03-14", "9999-03-14", None),
    ],
)
def test_the_planned_date_is_the_first_allowed_and_not_yet_emitted(
    first_date: str, after_date: str | None, expected: str | None
) -> None:
    due = planned(birthday(date(1990, 3, 14)), first_date=first_date, after_date=after_date)
    assert expected == (due and due.nominal_date)


def test_a_skipped_leap_day_is_not_planned() -> None:
    due = planned(birthday(LEAPLING, policy="skip"), first_date="2025-02-29", after_date=None)
    assert due is not None
    assert due.nominal_date == "2028-02-29"


@given(birthday=birthdays, after=instants)
def test_the_next_date_is_after_the_instant_and_nothing_lies_between(
    birthday: Yearly, after: datetime
) -> None:
    due = next_due_at(birthday, after=after)
    assert due is not None
    assert (due.due_at > after, due.local_date >= birthday.date) == (True, True)
    year_before = f"{int(due.nominal_date[:4]) - 8:04}-01-01"
    earlier = planned(birthday, first_date=year_before, after_date=None)
    while earlier is not None and earlier.nominal_date < due.nominal_date:
        assert earlier.due_at <= after
        earlier = planned(birthday, first_date=year_before, after_date=earlier.nominal_date)
    assert due == earlier


@given(birthday=birthdays, first=st.dates(date(1900, 1, 1), date(2100, 12, 31)))
def test_planning_what_was_planned_changes_nothing(birthday: Yearly, first: date) -> None:
    due = planned(birthday, first_date=first.isoformat(), after_date=None)
    assert due is not None
    assert due == planned(birthday, first_date=due.nominal_date, after_date=None)
    following = planned(birthday, first_date=first.isoformat(), after_date=due.nominal_date)
    assert following is not None
    assert (following.nominal_date > due.nominal_date, following.due_at > due.due_at) == (True, True)


@given(birthday=birthdays, first=st.dates(date(1900, 1, 1), date(2100, 12, 31)), zone=st.sampled_from(ZONES))
def test_moving_keeps_the_planned_date(birthday: Yearly, first: date, zone: str) -> None:
    moved = Yearly(
        date=birthday.date,
        send_at_local=time(0),
        timezone=zone,
        leap_day_policy=birthday.leap_day_policy,
    )
    here = planned(birthday, first_date=first.isoformat(), after_date=None)
    there = planned(moved, first_date=first.isoformat(), after_date=None)
    assert here is not None
    assert there is not None
    assert (here.nominal_date, here.local_date) == (there.nominal_date, there.local_date)


@pytest.mark.parametrize("policy", LeapDayPolicy)
@pytest.mark.parametrize(
    "zone", ["UTC", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Tokyo", "America/New_York"]
)
def test_the_calendars_ends_do_not_overflow(zone: str, policy: LeapDayPolicy) -> None:
    last = datetime.max.replace(tzinfo=UTC)
    first = datetime.min.replace(tzinfo=UTC)
    for born in (date.min, date(1, 12, 31), date(4, 2, 29), date(9996, 2, 29), date.max):
        someone = birthday(born, zone, policy, time(23, 59, 59))
        assert None is next_due_at(someone, after=last)
        due = next_due_at(someone, after=first)
        assert due is not None
        assert born.isoformat() == due.nominal_date


def test_an_instant_in_any_zone_is_the_same_instant() -> None:
    east = datetime(2027, 1, 1, 4, tzinfo=timezone(timedelta(hours=14)))  # still 2026 in UTC
    due = next_due_at(birthday(date(1990, 12, 31), at=time(15)), after=east)
    assert due is not None
    assert due.nominal_date == "2026-12-31"


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        next_due_at(birthday(LEAPLING), after=datetime(2027, 1, 1))  # noqa: DTZ001 - the point
