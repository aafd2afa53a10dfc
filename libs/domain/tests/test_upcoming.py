from datetime import UTC, date, datetime, time, timedelta

import pytest
from domain.due_dates import DueDate, planned, upcoming
from domain.occasion import LeapDayPolicy, Notification, Reminder, Rule, Yearly
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
LEAPLING = Yearly(
    date=date(1992, 2, 29), send_at_local=time(9), timezone="UTC", leap_day_policy=LeapDayPolicy.SKIP
)
DAILY = Reminder(
    local_date_time=datetime(1990, 1, 1, 12),  # noqa: DTZ001 - local
    rrule="FREQ=DAILY",
    last_date=date(2027, 1, 8),
    timezone="UTC",
)
RARE = Reminder(
    local_date_time=datetime(2000, 2, 29, 12),  # noqa: DTZ001 - local
    rrule="FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=TU",
    last_date=None,
    timezone="UTC",
)


def names(rule: Rule, first_date: str, after_date: str | None, count: int = 50) -> list[str]:
    dates = upcoming(rule, first_date=first_date, after_date=after_date, now=NOW, count=count)
    return [due.nominal_date for due in dates]


def test_a_preview_starts_after_now_and_after_what_rang() -> None:
    assert names(DAILY, "1990-01-01", None, count=2) == ["2027-01-05", "2027-01-06"]
    assert names(DAILY, "2027-01-06", None) == ["2027-01-06", "2027-01-07", "2027-01-08"]
    assert names(DAILY, "1990-01-01", "2027-01-06") == ["2027-01-07", "2027-01-08"]
    assert names(Notification(at=NOW, timezone="UTC"), "2027-01-04", None) == []
    assert names(Notification(at=NOW + timedelta(seconds=1), timezone="UTC"), "2027-01-04", None) == [
        "2027-01-04"
    ]


def test_fifty_leap_days_are_two_hundred_years_and_more_than_four_hundred_are_not_foreseen() -> None:
    leap_days = names(LEAPLING, "2024-02-29", None)
    assert (leap_days[0], len(leap_days), leap_days[-1]) == ("2028-02-29", 50, "2232-02-29")
    rare = names(RARE, "2000-02-29", None)
    assert (rare[0], rare[-1] < "2428") == ("2028-02-29", True)


RULES = st.sampled_from(
    [
        LEAPLING,
        DAILY,
        Yearly(
            date=date(2020, 2, 29),
            send_at_local=time(0),
            timezone="Pacific/Kiritimati",
            leap_day_policy=LeapDayPolicy.FEB_28,
        ),
        Yearly(
            date=date(2030, 1, 1),
            send_at_local=time(23),
            timezone="Etc/GMT+12",
            leap_day_policy=LeapDayPolicy.MAR_1,
        ),
        Reminder(
            local_date_time=datetime(2026, 12, 31, 0, 30),  # noqa: DTZ001 - local
            rrule="FREQ=WEEKLY;BYDAY=MO,TH",
            last_date=None,
            timezone="Pacific/Kiritimati",
        ),
        Notification(at=datetime(2027, 6, 1, tzinfo=UTC), timezone="Asia/Tokyo"),
    ]
)


@settings(max_examples=100, deadline=None)
@given(
    rule=RULES,
    first=st.dates(date(2026, 1, 1), date(2028, 12, 31)),
    after=st.none() | st.dates(date(2026, 1, 1), date(2028, 12, 31)),
    now=st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
)
def test_a_preview_is_what_planning_will_give(
    rule: Rule, first: date, after: date | None, now: datetime
) -> None:
    first_date = first.isoformat()
    after_date = emitted = after.isoformat() if after else None
    expected: list[DueDate] = []
    while len(expected) < 3 and (due := planned(rule, first_date=first_date, after_date=emitted)):
        emitted = due.nominal_date
        if due.due_at > now:
            expected.append(due)
    assert expected == upcoming(rule, first_date=first_date, after_date=after_date, now=now, count=3)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        upcoming(DAILY, first_date="2027-01-01", after_date=None, now=datetime(2027, 1, 1), count=1)  # noqa: DTZ001
