from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

import pytest
from domain.events import OccasionAdded, UserCreated
from domain.occasion import LeapDayPolicy, Notification, Reminder, Rule, Yearly
from domain.occasion_rule import birthday_of, rule_of

AT = datetime(2026, 11, 22, 14, 5, 9, tzinfo=UTC)
ID = UUID("0192d5f0-5b1e-7c3a-9f1d-3a5e8c2b4d61")
ON = date(2019, 6, 1)
START = datetime(2026, 11, 23, 18)  # noqa: DTZ001 - local
YEARLY = Yearly(
    date=ON, send_at_local=time(10, 30), timezone="Asia/Tokyo", leap_day_policy=LeapDayPolicy.MAR_1
)


def state(kind: str, **fields: Any) -> OccasionAdded:  # noqa: ANN401 - any field
    return OccasionAdded(
        occasion_id=ID, user_id=ID, version=1, occurred_at=AT, type=kind, first_date="2027-01-01", **fields
    )


def rule(of: OccasionAdded) -> Rule:
    return rule_of(of, timezone="Asia/Tokyo", leap_day_policy=LeapDayPolicy.MAR_1)


ANNIVERSARY = state("ANNIVERSARY", name="wedding", date=ON, send_at_local=time(10, 30))
REMINDER = state(
    "REMINDER",
    message="Water the plants",
    local_date_time=START,
    rrule="FREQ=DAILY;COUNT=3",
    last_date=date(2026, 11, 25),
)
NOTIFICATION = state("NOTIFICATION", message="Ready", at=AT)


def test_a_birthday_and_an_anniversary_are_yearly() -> None:
    born = UserCreated(
        user_id=ID,
        version=1,
        occurred_at=AT,
        first_name="John",
        last_name="Doe",
        date_of_birth=ON,
        timezone="Asia/Tokyo",
        send_at_local=time(10, 30),
        leap_day_policy=LeapDayPolicy.MAR_1,
        first_date="2027-06-01",
    )
    assert [birthday_of(born), rule(ANNIVERSARY)] == [YEARLY, YEARLY]
    unsaid = rule(state("ANNIVERSARY", name="wedding", date=ON))
    assert isinstance(unsaid, Yearly)
    assert time(9) == unsaid.send_at_local
    midnight = rule(state("ANNIVERSARY", name="wedding", date=ON, send_at_local=time(0)))
    assert isinstance(midnight, Yearly)
    assert time(0) == midnight.send_at_local


def test_a_reminder_is_at_its_local_time_and_a_notification_at_its_instant() -> None:
    expected = Reminder(
        local_date_time=START,
        rrule="FREQ=DAILY;COUNT=3",
        last_date=date(2026, 11, 25),
        timezone="Asia/Tokyo",
    )
    assert expected == rule(REMINDER)
    assert Notification(at=AT, timezone="Asia/Tokyo") == rule(NOTIFICATION)


@pytest.mark.parametrize(
    "lacking",
    [
        state("ANNIVERSARY", date=ON),
        state("ANNIVERSARY", name="wedding", at=AT),
        state("BIRTHDAY"),
        state("REMINDER", local_date_time=START),
        state("REMINDER", message="Water the plants", at=AT),
        state("NOTIFICATION", at=AT),
        state("NOTIFICATION", message="Ready", date=ON),
    ],
)
def test_a_state_that_could_not_be_planned_or_emitted_is_refused(lacking: OccasionAdded) -> None:
    with pytest.raises(ValueError, match=f"{lacking.type} without"):
        rule(lacking)


def test_the_policy_that_an_occasion_tells_goes_before_its_users() -> None:
    told = state("ANNIVERSARY", name="wedding", date=ON, leap_day_policy=LeapDayPolicy.SKIP)
    untold = state("ANNIVERSARY", name="wedding", date=ON)

    policies = [it.leap_day_policy for it in (rule(told), rule(untold)) if isinstance(it, Yearly)]

    assert policies == [LeapDayPolicy.SKIP, LeapDayPolicy.MAR_1]
