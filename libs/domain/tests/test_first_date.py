from datetime import UTC, date, datetime, time, timedelta

import msgspec
import pytest
from domain.due_dates import DueDate, first_date, next_due_at, planned
from domain.occasion import LeapDayPolicy, Yearly
from hypothesis import given, settings
from hypothesis import strategies as st

LEAPLING = date(1992, 2, 29)
FEB_28 = LeapDayPolicy.FEB_28
MAR_1 = LeapDayPolicy.MAR_1
SKIP = LeapDayPolicy.SKIP


def born(on: date, policy: LeapDayPolicy = FEB_28, timezone: str = "UTC", at: time = time(9)) -> Yearly:
    return Yearly(date=on, send_at_local=at, timezone=timezone, leap_day_policy=policy)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Ringing:
    """A user and a scheduler that looks only when told to: what it emitted, and when."""

    def __init__(self, birthday: Yearly, created_at: datetime) -> None:
        self.birthday = birthday
        self.first_date = first_date(birthday, None, None, changed_at=created_at)
        self.after_date: str | None = None
        self.rung: list[str] = []

    def change(self, changed_at: datetime, **changes: object) -> None:
        new = msgspec.structs.replace(self.birthday, **changes)
        self.first_date = first_date(new, self.birthday, self.first_date, changed_at=changed_at)
        self.birthday = new

    def look(self, now: datetime) -> None:
        while (due := self.planned()) is not None and due.due_at <= now:
            self.after_date = due.nominal_date
            self.rung.append(due.nominal_date)

    def planned(self) -> DueDate | None:
        return planned(self.birthday, first_date=self.first_date, after_date=self.after_date)


@pytest.mark.parametrize(
    ("birthday", "changed_at", "expected"),
    [
        (born(date(1990, 3, 14)), "2027-03-14T08:59:59", "2027-03-14"),
        (born(date(1990, 3, 14)), "2027-03-14T09:00:00", "2028-03-14"),
        (born(date(2027, 3, 14)), "2027-03-14T08:00:00", "2027-03-14"),
        (born(LEAPLING, SKIP), "2027-01-01T00:00:00", "2028-02-29"),
        (born(LEAPLING, MAR_1), "2027-02-28T12:00:00", "2027-02-29"),
        (born(date(1990, 3, 14)), "9999-03-14T09:00:00", "9999-12-31"),  # the calendar's last day
    ],
)
def test_a_created_user_rings_from_the_next_date_on(birthday: Yearly, changed_at: str, expected: str) -> None:
    assert expected == first_date(birthday, None, None, changed_at=at(changed_at))


def test_another_month_or_day_is_decided_anew() -> None:
    old, new = born(date(1990, 3, 14)), born(date(1990, 3, 16))
    assert first_date(new, old, "2020-03-14", changed_at=at("2027-03-14T12:00:00")) == "2027-03-16"
    assert first_date(new, old, "2020-03-14", changed_at=at("2027-03-16T12:00:00")) == "2028-03-16"


@pytest.mark.parametrize(
    "new",
    [
        born(date(1990, 3, 14), timezone="Pacific/Kiritimati"),
        born(date(1990, 3, 14), at=time(7)),
        born(date(1991, 3, 14)),
        born(date(1990, 3, 14), MAR_1),
    ],
    ids=["zone", "time of day", "year", "a leap-day policy that does not matter"],
)
def test_a_zone_time_year_or_idle_policy_leaves_the_pending_date(new: Yearly) -> None:
    old = born(date(1990, 3, 14))
    assert first_date(new, old, "2020-03-14", changed_at=at("2027-03-14T12:00:00")) == "2020-03-14"


@pytest.mark.parametrize(
    ("old", "new", "old_first", "changed_at", "expected"),
    [
        # mar_1 → feb_28 after the new moment: the pending date stays, and is due at once
        (MAR_1, FEB_28, "2020-02-29", "2027-02-28T10:00:00", "2027-02-29"),
        (MAR_1, FEB_28, "2020-02-29", "2027-02-27T10:00:00", "2027-02-29"),
        # feb_28 → mar_1 after the old moment: this year's is named still, and was rung or will be
        (FEB_28, MAR_1, "2020-02-29", "2027-02-28T10:00:00", "2027-02-29"),
        # created after feb_28's moment, then mar_1 brings the moment back
        (FEB_28, MAR_1, "2028-02-29", "2027-02-28T10:00:00", "2027-02-29"),
        # created after both moments: no policy brings this year's back
        (MAR_1, FEB_28, "2028-02-29", "2027-03-01T10:00:00", "2028-02-29"),
        # years skipped so far stay skipped
        (SKIP, FEB_28, "2024-02-29", "2026-06-01T00:00:00", "2027-02-29"),
        (FEB_28, SKIP, "2024-02-29", "2026-06-01T00:00:00", "2027-02-29"),
    ],
)
def test_another_leap_day_policy_keeps_what_is_pending_and_opens_nothing_past(
    old: LeapDayPolicy, new: LeapDayPolicy, old_first: str, changed_at: str, expected: str
) -> None:
    changed = first_date(born(LEAPLING, new), born(LEAPLING, old), old_first, changed_at=at(changed_at))
    assert expected == changed


def test_moving_leaves_a_leap_days_pending_date() -> None:
    old, new = born(LEAPLING), born(LEAPLING, timezone="Pacific/Kiritimati")
    assert first_date(new, old, "2020-02-29", changed_at=at("2027-02-28T12:00:00")) == "2020-02-29"


def test_from_mar_1_to_feb_28_on_february_28_rings_at_once() -> None:
    user = Ringing(born(LEAPLING, MAR_1), at("2026-06-01T00:00:00"))
    user.change(at("2027-02-28T10:00:00"), leap_day_policy=FEB_28)
    user.look(at("2027-02-28T10:00:00"))
    user.look(at("2028-02-28T23:00:00"))
    assert user.rung == ["2027-02-29"]


def test_from_feb_28_to_mar_1_after_the_ring_does_not_ring_again() -> None:
    user = Ringing(born(LEAPLING, FEB_28), at("2026-06-01T00:00:00"))
    user.look(at("2027-02-28T09:00:00"))
    user.change(at("2027-02-28T10:00:00"), leap_day_policy=MAR_1)
    user.look(at("2028-02-28T23:00:00"))
    assert user.rung == ["2027-02-29"]


def test_a_policy_changed_while_the_scheduler_was_down_past_both_moments_still_rings() -> None:
    user = Ringing(born(LEAPLING, MAR_1), at("2026-06-01T00:00:00"))
    user.change(at("2027-03-01T10:00:00"), leap_day_policy=FEB_28)
    user.look(at("2027-03-01T11:00:00"))
    assert user.rung == ["2027-02-29"]


def test_moving_on_the_day_after_the_ring_does_not_ring_again() -> None:
    user = Ringing(born(date(1990, 7, 10), timezone="Pacific/Kiritimati"), at("2027-01-01T00:00:00"))
    user.look(at("2027-07-09T19:00:00"))
    user.change(at("2027-07-09T20:00:00"), timezone="Pacific/Honolulu")
    user.look(at("2027-07-12T00:00:00"))
    assert user.rung == ["2027-07-10"]


def test_moving_past_the_moment_rings_now() -> None:
    user = Ringing(born(date(1990, 7, 10), timezone="Pacific/Honolulu"), at("2027-01-01T00:00:00"))
    user.change(at("2027-07-10T12:00:00"), timezone="Pacific/Kiritimati")
    user.look(at("2027-07-10T12:00:00"))
    assert user.rung == ["2027-07-10"]


moments = st.integers(0, 5 * 24 * 60).map(lambda m: at("2027-02-26T12:00:00") + timedelta(minutes=m))
changes = st.fixed_dictionaries(
    {},
    optional={
        "leap_day_policy": st.sampled_from(LeapDayPolicy),
        "timezone": st.sampled_from(["UTC", "Pacific/Kiritimati", "Pacific/Honolulu", "Asia/Kathmandu"]),
        "send_at_local": st.times().map(lambda at: at.replace(microsecond=0)),
    },
)
AFTER_ALL = at("2027-03-05T00:00:00")


@settings(max_examples=1000)
@given(
    policy=st.sampled_from(LeapDayPolicy),
    happenings=st.lists(st.tuples(moments, changes | st.none()), max_size=8).map(
        lambda them: sorted(them, key=lambda it: it[0])
    ),
)
def test_whatever_changes_around_a_leap_day_it_rings_once(
    policy: LeapDayPolicy, happenings: list[tuple[datetime, dict[str, object] | None]]
) -> None:
    """None is the scheduler looking; it may be down all the while, and looks at the end."""
    user = Ringing(born(LEAPLING, policy), at("2026-06-01T00:00:00"))
    skipped = policy is SKIP
    for now, change in happenings:
        if change is None:
            user.look(now)
        else:
            skipped |= change.get("leap_day_policy") is SKIP
            user.change(now, **change)
    user.look(AFTER_ALL)
    assert user.rung in ([["2027-02-29"], []] if skipped else [["2027-02-29"]])


@given(
    created_at=moments,
    change_after=st.integers(0, 3000).map(lambda m: timedelta(minutes=m)),
    old=st.sampled_from(LeapDayPolicy),
    new=st.sampled_from(LeapDayPolicy),
)
def test_a_moment_that_had_passed_when_the_user_was_created_never_rings(
    created_at: datetime, change_after: timedelta, old: LeapDayPolicy, new: LeapDayPolicy
) -> None:
    user = Ringing(born(LEAPLING, old), created_at)
    promised = [
        due.nominal_date
        for birthday, since in (
            (born(LEAPLING, old), created_at),
            (born(LEAPLING, new), created_at + change_after),
        )
        if (due := next_due_at(birthday, after=since))
    ]
    user.change(created_at + change_after, leap_day_policy=new)
    user.look(AFTER_ALL)
    assert set(user.rung) <= set(promised)


@pytest.mark.parametrize("old", [None, born(LEAPLING)])
def test_a_naive_instant_is_refused(old: Yearly | None) -> None:
    with pytest.raises(ValueError, match="naive"):
        first_date(born(LEAPLING), old, "2027-02-29", changed_at=datetime(2027, 1, 1))  # noqa: DTZ001 - the point


def test_the_calendars_first_days_do_not_overflow() -> None:
    old, new = born(date(4, 2, 29), MAR_1), born(date(4, 2, 29), FEB_28)
    first = datetime.min.replace(tzinfo=UTC)
    assert first_date(new, old, "0004-02-29", changed_at=first) == "0004-02-29"
