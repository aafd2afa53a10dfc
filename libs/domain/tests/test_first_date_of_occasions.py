from datetime import UTC, date, datetime, time

import pytest
from domain.due_dates import first_date, planned
from domain.occasion import LeapDayPolicy, Notification, Reminder, Rule, Yearly
from msgspec.structs import replace

NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)  # a Monday


def reminder(at: str, rrule: str | None = None, last_date: date | None = None) -> Reminder:
    return Reminder(
        local_date_time=datetime.fromisoformat(at), rrule=rrule, last_date=last_date, timezone="UTC"
    )


def notification(at: str) -> Notification:
    return Notification(at=datetime.fromisoformat(at), timezone="UTC")


def anniversary(on: str, policy: LeapDayPolicy = LeapDayPolicy.FEB_28) -> Yearly:
    return Yearly(date=date.fromisoformat(on), send_at_local=time(9), timezone="UTC", leap_day_policy=policy)


ONCE = reminder("2027-01-10T09:00:00")
DAILY = reminder("2027-01-01T09:00:00", "FREQ=DAILY")
NOTICE = notification("2027-01-10T09:00:00Z")


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (ONCE, "2027-01-10"),
        (reminder("2027-01-04T12:00:01"), "2027-01-04"),
        (reminder("2027-01-04T12:00:00"), None),
        (reminder("2026-01-04T12:00:00"), None),
        (DAILY, "2027-01-05"),
        (reminder("2027-01-01T13:00:00", "FREQ=DAILY"), "2027-01-04"),
        (reminder("2027-02-01T09:00:00", "FREQ=DAILY"), "2027-02-01"),
        (reminder("2027-01-05T09:00:00", "FREQ=WEEKLY;BYDAY=MO"), "2027-01-11"),
        (reminder("2027-01-01T13:00:00", "FREQ=DAILY", date(2027, 1, 4)), "2027-01-04"),
        (reminder("2027-01-01T09:00:00", "FREQ=DAILY", date(2027, 1, 4)), None),
        (notification("2027-01-04T12:00:00.000001Z"), "2027-01-04"),
        (notification("2027-01-04T12:00:00Z"), "2027-01-04"),  # now
        (notification("2027-01-04T11:59:59.999999Z"), None),
        (notification("2027-01-05T07:00:00+14:00"), "2027-01-04"),
        (anniversary("2019-06-01"), "2027-06-01"),
        (anniversary("2031-06-01"), "2031-06-01"),
        (anniversary("2020-01-04"), "2028-01-04"),
    ],
)
def test_a_new_occasion_rings_from_the_next_date_on_and_a_one_off_in_the_past_never(
    new: Rule, expected: str | None
) -> None:
    assert expected == first_date(new, None, None, changed_at=NOON)


@pytest.mark.parametrize("rule", [ONCE, DAILY, NOTICE, anniversary("2020-02-29")])
def test_moving_keeps_the_first_date_even_where_it_has_passed(rule: Rule) -> None:
    moved = replace(rule, timezone="Pacific/Kiritimati")
    assert first_date(moved, rule, "2026-05-05", changed_at=NOON) == "2026-05-05"
    assert first_date(rule, rule, "2026-05-05", changed_at=NOON) == "2026-05-05"


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        (reminder("2027-01-09T09:00:00"), ONCE, "2027-01-09"),
        (reminder("2027-01-03T09:00:00"), ONCE, None),
        (DAILY, ONCE, "2027-01-05"),
        (ONCE, DAILY, "2027-01-10"),
        (reminder("2027-01-01T13:00:00", "FREQ=DAILY"), DAILY, "2027-01-04"),
        (reminder("2027-01-01T09:00:00", "FREQ=WEEKLY"), DAILY, "2027-01-08"),
        (reminder("2027-01-01T09:00:00", "FREQ=DAILY", date(2027, 1, 3)), DAILY, None),
        (notification("2027-01-04T12:00:00Z"), NOTICE, "2027-01-04"),
        (notification("2027-01-03T12:00:00Z"), NOTICE, None),
        (NOTICE, anniversary("2020-01-04"), "2027-01-10"),
        (anniversary("2020-01-04"), NOTICE, "2028-01-04"),
    ],
)
def test_a_changed_rule_or_kind_is_decided_anew(new: Rule, old: Rule, expected: str | None) -> None:
    assert expected == first_date(new, old, "2026-01-01", changed_at=NOON)


@pytest.mark.parametrize(
    ("old_first_date", "year", "expected"),
    [
        ("2031-06-01", "2019", "2027-06-01"),  # what the later year had put off
        ("2031-06-01", "2029", "2029-06-01"),
        ("2028-06-01", "2019", "2027-06-01"),
        ("2026-06-01", "2019", "2026-06-01"),  # pending since: neither lost nor repeated
        ("2027-06-01", "2035", "2027-06-01"),  # planning waits for the year itself
    ],
)
def test_an_anniversary_of_an_earlier_year_is_open_from_its_next_date_on(
    old_first_date: str, year: str, expected: str
) -> None:
    new, old = anniversary(f"{year}-06-01"), anniversary("2031-06-01")
    assert expected == first_date(new, old, old_first_date, changed_at=NOON)
    due = planned(new, first_date=expected, after_date=None)
    assert due is not None
    assert max(expected, f"{year}-06-01") == due.nominal_date


def test_a_users_other_policy_moves_their_leap_day_anniversary_as_it_moves_a_birthday() -> None:
    old, new = anniversary("2020-02-29", LeapDayPolicy.MAR_1), anniversary("2020-02-29")
    after_both = datetime(2027, 2, 28, 10, tzinfo=UTC)
    assert first_date(new, old, "2024-02-29", changed_at=after_both) == "2027-02-29"
    ordinary = anniversary("2020-06-01", LeapDayPolicy.MAR_1)
    unmoved = first_date(anniversary("2020-06-01"), ordinary, "2024-06-01", changed_at=after_both)
    assert unmoved == "2024-06-01"


def test_another_year_and_another_policy_at_once_open_what_either_opens() -> None:
    old, new = anniversary("2032-02-29", LeapDayPolicy.SKIP), anniversary("2020-02-29")
    assert first_date(new, old, "2032-02-29", changed_at=NOON) == "2027-02-29"


@pytest.mark.parametrize("rule", [ONCE, NOTICE])
def test_a_naive_instant_is_refused(rule: Rule) -> None:
    with pytest.raises(ValueError, match="naive"):
        first_date(rule, None, None, changed_at=datetime(2027, 1, 1))  # noqa: DTZ001 - the point
