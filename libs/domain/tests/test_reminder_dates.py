from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import available_timezones

import pytest
from domain.due_dates import DueDate, next_due_at, planned, upcoming
from domain.occasion import Notification, Reminder
from domain.recurrence import RecurrenceError, recurrence
from domain.zones import UnknownZone, zone
from hypothesis import given, settings
from hypothesis import strategies as st

ZONES = sorted(available_timezones())
NEW_YORK = "America/New_York"


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def reminder(at: str, rrule: str | None = None, timezone: str = NEW_YORK) -> Reminder:
    rule, last_date = recurrence(rrule, local(at), timezone) if rrule else (None, None)
    return Reminder(local_date_time=local(at), rrule=rule, last_date=last_date, timezone=timezone)


def rings(rule: Reminder | Notification, after: str, count: int = 3) -> list[str]:
    """When it is due, in UTC, one date planned after the other."""
    found: list[str] = []
    due = next_due_at(rule, after=instant(after))
    while due is not None and len(found) < count:
        found.append(due.due_at.isoformat().replace("+00:00", "Z"))
        due = planned(rule, first_date=due.nominal_date, after_date=due.nominal_date)
    return found


@pytest.mark.parametrize(
    ("rule", "after", "expected"),
    [
        (reminder("2027-01-15T07:00:00"), "2027-01-01T00:00:00Z", ["2027-01-15T12:00:00Z"]),
        (reminder("2027-01-15T07:00:00"), "2027-01-15T11:59:59Z", ["2027-01-15T12:00:00Z"]),
        (reminder("2027-01-15T07:00:00"), "2027-01-15T12:00:00Z", []),
        # the local time stays when the clocks change
        (
            reminder("2027-03-12T07:00:00", "FREQ=DAILY"),
            "2027-03-12T12:00:00Z",
            ["2027-03-13T12:00:00Z", "2027-03-14T11:00:00Z", "2027-03-15T11:00:00Z"],
        ),
        # a time that a day does not have takes the offset before the gap; the next day has it again
        (
            reminder("2027-03-13T02:30:00", "FREQ=DAILY"),
            "2027-03-13T00:00:00Z",
            ["2027-03-13T07:30:00Z", "2027-03-14T07:30:00Z", "2027-03-15T06:30:00Z"],
        ),
        # midnight is in a gap every year in Cairo
        (
            reminder("2027-04-29T00:00:00", "FREQ=DAILY", "Africa/Cairo"),
            "2027-04-01T00:00:00Z",
            ["2027-04-28T22:00:00Z", "2027-04-29T22:00:00Z", "2027-04-30T21:00:00Z"],
        ),
        # a time that occurs twice is its first occurrence, once
        (
            reminder("2027-11-06T01:30:00", "FREQ=DAILY"),
            "2027-11-06T00:00:00Z",
            ["2027-11-06T05:30:00Z", "2027-11-07T05:30:00Z", "2027-11-08T06:30:00Z"],
        ),
        # a date that the zone skipped rings when its clocks would have shown it, and so does the next
        (
            reminder("2011-12-29T09:00:00", "FREQ=DAILY", "Pacific/Apia"),
            "2011-12-29T00:00:00Z",
            ["2011-12-29T19:00:00Z", "2011-12-30T19:00:00Z", "2011-12-30T19:00:00Z"],
        ),
        # a rule that ends
        (
            reminder("2027-01-04T07:00:00", "FREQ=WEEKLY;COUNT=2"),
            "2027-01-01T00:00:00Z",
            ["2027-01-04T12:00:00Z", "2027-01-11T12:00:00Z"],
        ),
        (reminder("2027-01-04T07:00:00", "FREQ=WEEKLY;COUNT=2"), "2027-01-11T12:00:00Z", []),
        (
            reminder("2027-01-04T07:00:00", "FREQ=WEEKLY;UNTIL=20270112"),
            "2027-01-05T00:00:00Z",
            ["2027-01-11T12:00:00Z"],
        ),
        (
            Notification(at=instant("2027-01-01T04:30:00Z"), timezone=NEW_YORK),
            "2027-01-01T04:29:59Z",
            ["2027-01-01T04:30:00Z"],
        ),
        (Notification(at=instant("2027-01-01T04:30:00Z"), timezone=NEW_YORK), "2027-01-01T04:30:00Z", []),
    ],
)
def test_when_reminders_and_notifications_are_due(
    rule: Reminder | Notification, after: str, expected: list[str]
) -> None:
    assert expected == rings(rule, after)


def test_a_reminders_date_has_its_own_date_and_time() -> None:
    due = planned(reminder("2027-03-14T02:30:00"), first_date="2027-03-14", after_date=None)
    expected = DueDate(
        nominal_date="2027-03-14",
        local_date=date(2027, 3, 14),
        local_time=time(2, 30),
        due_at=instant("2027-03-14T07:30:00Z"),
    )
    assert expected == due


@pytest.mark.parametrize(
    ("timezone", "local_date", "local_time"),
    [
        (NEW_YORK, date(2026, 12, 31), time(23, 30, 59)),
        ("UTC", date(2027, 1, 1), time(4, 30, 59)),
        ("Pacific/Kiritimati", date(2027, 1, 1), time(18, 30, 59)),
    ],
)
def test_a_notification_is_named_for_its_date_in_utc_and_shown_in_the_users_zone(
    timezone: str, local_date: date, local_time: time
) -> None:
    at = instant("2027-01-01T04:30:59.750000Z")
    due = planned(Notification(at=at, timezone=timezone), first_date="2027-01-01", after_date=None)
    assert DueDate(nominal_date="2027-01-01", local_date=local_date, local_time=local_time, due_at=at) == due


DAILY = reminder("1990-01-01T07:00:00", "FREQ=DAILY")
ONCE = reminder("2027-01-15T07:00:00")
NOTIFICATION = Notification(at=instant("2027-01-01T04:30:00Z"), timezone=NEW_YORK)


@pytest.mark.parametrize(
    ("rule", "first_date", "after_date", "expected"),
    [
        (DAILY, "2027-01-15", None, "2027-01-15"),
        (DAILY, "2027-01-15", "2027-01-14", "2027-01-15"),
        (DAILY, "2027-01-15", "2027-01-15", "2027-01-16"),
        (DAILY, "2027-01-15", "2027-02-01", "2027-02-02"),
        (DAILY, "1980-01-15", None, "1990-01-01"),
        (DAILY, "2027-02-29", None, "2027-03-01"),  # a leap day's name, left by the anniversary it was
        (DAILY, "9999-12-31", "9999-12-31", None),
        (ONCE, "2027-01-15", None, "2027-01-15"),
        (ONCE, "2026-01-15", None, "2027-01-15"),
        (ONCE, "2027-01-15", "2027-01-15", None),
        (ONCE, "2027-01-16", None, None),
        (NOTIFICATION, "2027-01-01", None, "2027-01-01"),
        (NOTIFICATION, "2027-01-01", "2027-01-01", None),
    ],
)
def test_the_planned_date_is_the_first_allowed_and_not_yet_emitted(
    rule: Reminder | Notification, first_date: str, after_date: str | None, expected: str | None
) -> None:
    due = planned(rule, first_date=first_date, after_date=after_date)
    assert expected == (due and due.nominal_date)


@settings(max_examples=100, deadline=None)
@given(
    start=st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)).map(lambda at: at.replace(microsecond=0)),  # noqa: DTZ001 - local
    rrule=st.sampled_from(
        ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,SA", "FREQ=MONTHLY", "FREQ=YEARLY;INTERVAL=2"]
    ),
    timezone=st.sampled_from(ZONES),
    after=st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
)
def test_shown_in_its_zone_a_reminder_rings_at_its_time_or_that_time_was_skipped(
    start: datetime, rrule: str, timezone: str, after: datetime
) -> None:
    rule = Reminder(local_date_time=start, rrule=rrule, last_date=None, timezone=timezone)
    due = next_due_at(rule, after=after)
    assert due is not None
    promised = datetime.combine(due.local_date, due.local_time)
    shown = due.due_at.astimezone(zone(timezone)).replace(tzinfo=None)
    # Nothing is left out between: what comes before is not after the instant.
    year_ago = (due.local_date - timedelta(days=800)).isoformat()
    earlier = [one for one in _dates_from(rule, year_ago) if one.nominal_date < due.nominal_date]
    assert (due.due_at > after, all(one.due_at <= after for one in earlier)) == (True, True)
    assert (due.local_time, shown >= promised) == (start.time(), True)
    assert shown - promised <= timedelta(days=1)


def _dates_from(rule: Reminder, first_date: str) -> list[DueDate]:
    return upcoming(
        rule, first_date=first_date, after_date=None, now=instant(f"{first_date}T00:00:00Z"), count=801
    )


@pytest.mark.parametrize("timezone", ["UTC", "Pacific/Kiritimati", "Etc/GMT+12", NEW_YORK])
def test_the_calendars_ends_do_not_overflow(timezone: str) -> None:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    for at in ("0001-01-01T00:00:00", "9999-12-31T23:59:59"):
        for rrule in (None, "FREQ=DAILY", "FREQ=WEEKLY;WKST=SU"):
            rule = Reminder(local_date_time=local(at), rrule=rrule, last_date=None, timezone=timezone)
            assert None is next_due_at(rule, after=last)
            assert next_due_at(rule, after=first) is not None or at.startswith("0001")
    for instant_ in (first, last):
        due = planned(Notification(at=instant_, timezone=timezone), first_date="0001-01-01", after_date=None)
        assert due is not None
        assert instant_ == due.due_at


def test_a_rule_that_nobody_checked_and_an_unknown_zone_are_refused() -> None:
    broken = Reminder(
        local_date_time=local("2027-01-01T09:00:00"), rrule="FREQ=X", last_date=None, timezone="UTC"
    )
    with pytest.raises(RecurrenceError):
        planned(broken, first_date="2027-01-01", after_date=None)
    for rule in (
        reminder("2027-01-01T09:00:00", timezone="X"),
        Notification(at=instant("2027-01-01T09:00:00Z"), timezone="X"),
    ):
        with pytest.raises(UnknownZone):
            planned(rule, first_date="2027-01-01", after_date=None)
