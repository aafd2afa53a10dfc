from datetime import UTC, datetime, timedelta

import pytest
from domain.catch_up import NEVER, is_missed
from hypothesis import given
from hypothesis import strategies as st

RIPE = datetime(2026, 12, 10, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)


def missed(
    *,
    now: datetime,
    returned_at: datetime = NEVER,
    planned_at: datetime | None = None,
    ripe_at: datetime = RIPE,
) -> bool:
    return is_missed(now=now, ripe_at=ripe_at, planned_at=planned_at, returned_at=returned_at, catch_up=DAY)


@pytest.mark.parametrize(
    ("returned", "expected"), [(DAY - HOUR, False), (DAY, False), (DAY + timedelta(microseconds=1), True)]
)
def test_it_is_judged_when_the_scheduler_returned(returned: timedelta, *, expected: bool) -> None:
    assert expected == missed(now=RIPE + returned, returned_at=RIPE + returned)


def test_what_was_in_time_at_the_return_is_sent_however_long_the_drain_takes() -> None:
    assert not missed(now=RIPE + 100 * DAY, returned_at=RIPE + DAY)


def test_what_fell_due_after_the_return_is_never_missed() -> None:
    assert not missed(now=RIPE + 100 * DAY, returned_at=RIPE - DAY)


def test_what_was_planned_too_late_is_missed_though_nobody_was_away() -> None:
    late, in_time = RIPE + DAY + HOUR, RIPE + DAY
    assert [missed(now=RIPE + 2 * DAY, planned_at=at) for at in (late, in_time)] == [True, False]


def test_the_later_of_return_and_planning_counts() -> None:
    early, late = RIPE + HOUR, RIPE + 2 * DAY
    assert missed(now=late, returned_at=early, planned_at=late)
    assert missed(now=late, returned_at=late, planned_at=early)


@given(returned=st.integers(-1000, 1000), planned=st.integers(-1000, 1000), now=st.integers(-1000, 1000))
def test_nothing_is_missed_that_is_not_late_by_the_clock_of_now(
    returned: int, planned: int, now: int
) -> None:
    """Whatever the clock showed before it was set back."""
    told = missed(now=RIPE + now * HOUR, returned_at=RIPE + returned * HOUR, planned_at=RIPE + planned * HOUR)
    assert not (told and now <= 24)
