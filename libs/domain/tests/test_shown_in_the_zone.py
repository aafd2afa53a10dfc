"""Planned instants, held to what a zone's clocks show at every instant: nothing here reads `fold`."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from domain.due_date import DueDate, wall_time
from domain.due_dates import next_due_at, planned
from domain.occasion import LeapDayPolicy, Reminder, Yearly
from domain.zones import zone_names
from hypothesis import given, settings
from hypothesis import strategies as st

SECOND = timedelta(seconds=1)
STRIDE = timedelta(days=2)
"""Clocks are put forward or back less often than that."""

zones = st.sampled_from(sorted(zone_names()))
dates = st.dates(date(1900, 1, 1), date(2100, 12, 31))
clock_times = st.times().map(lambda at: at.replace(microsecond=0)) | st.sampled_from([time(0), time(9)])


def shown_at(instant: datetime, timezone: str) -> timedelta:
    """How far a zone's clocks are ahead of UTC at an instant."""
    return wall_time(instant, timezone) - instant.replace(tzinfo=None)


def change_between(before: datetime, after: datetime, timezone: str) -> datetime:
    """The first second at which a zone's clocks no longer are as far ahead as at `before`."""
    old = shown_at(before, timezone)
    while after - before > SECOND:
        middle = before + (after - before) // 2 // SECOND * SECOND
        if shown_at(middle, timezone) == old:
            before = middle
        else:
            after = middle
    return after


def changes(since: datetime, until: datetime, timezone: str) -> Iterator[datetime]:
    """The instants at which a zone's clocks are put forward or back."""
    while since < until:
        if shown_at(since, timezone) != shown_at(since + STRIDE, timezone):
            yield change_between(since, since + STRIDE, timezone)
        since += STRIDE


def promised_instant(promised: datetime, timezone: str) -> datetime:
    """The first instant at which the clocks show a time; in a gap, when they would without it."""
    about = promised.replace(tzinfo=UTC)
    near = list(changes(about - STRIDE, about + STRIDE, timezone))
    instants = [about - STRIDE, about + STRIDE, *near, *(change - SECOND for change in near)]
    offsets = {shown_at(instant, timezone) for instant in instants}
    showing = [about - offset for offset in offsets if wall_time(about - offset, timezone) == promised]
    if showing:
        return min(showing)
    [gap] = [
        change
        for change in near
        if wall_time(change - SECOND, timezone) < promised < wall_time(change, timezone)
    ]
    return about - shown_at(gap - SECOND, timezone)


@st.composite
def promises(draw: st.DrawFn) -> tuple[date, time, str]:
    """A local date and time in a zone: any, or one about which its clocks are changed."""
    timezone, on = draw(zones), draw(dates)
    january = datetime(on.year, 1, 1, tzinfo=UTC)
    changed = list(changes(january, january + timedelta(days=366), timezone))
    if draw(st.booleans()) and changed:
        change = draw(st.sampled_from(changed))
        near = wall_time(change, timezone) + timedelta(minutes=draw(st.integers(-180, 180)))
        return near.date(), near.time(), timezone
    return on, draw(clock_times), timezone


def holds(due: DueDate | None, timezone: str) -> bool:
    assert due is not None
    promised = datetime.combine(due.local_date, due.local_time)
    return due.due_at == promised_instant(promised, timezone)


@settings(max_examples=150, deadline=None)
@given(promise=promises(), policy=st.sampled_from(LeapDayPolicy))
def test_a_yearly_date_is_due_when_the_clocks_first_show_its_time(
    promise: tuple[date, time, str], policy: LeapDayPolicy
) -> None:
    on, at, timezone = promise
    rule = Yearly(date=on, send_at_local=at, timezone=timezone, leap_day_policy=policy)

    due = planned(rule, first_date=on.isoformat(), after_date=None)

    assert holds(due, timezone)
    assert (due and due.local_date, due and due.local_time) == (on, at)


@settings(max_examples=150, deadline=None)
@given(promise=promises(), days=st.integers(0, 5))
def test_every_date_of_a_daily_reminder_is_due_when_the_clocks_first_show_its_time(
    promise: tuple[date, time, str], days: int
) -> None:
    on, at, timezone = promise
    start = datetime.combine(on, at) - timedelta(days=days)
    rule = Reminder(local_date_time=start, rrule="FREQ=DAILY", last_date=None, timezone=timezone)

    due = planned(rule, first_date=start.date().isoformat(), after_date=None)
    for _ in range(2 * days + 1):
        assert holds(due, timezone)
        assert due is not None
        following = planned(rule, first_date=due.nominal_date, after_date=due.nominal_date)
        # A skipped date rings together with the next one, at the same instant; no date is left out.
        assert following is not None
        assert (following.local_date - due.local_date, following.due_at >= due.due_at) == (
            timedelta(days=1),
            True,
        )
        due = following


@settings(max_examples=150, deadline=None)
@given(promise=promises())
def test_what_is_next_after_an_instant_is_the_first_promise_after_it(
    promise: tuple[date, time, str],
) -> None:
    on, at, timezone = promise
    rule = Yearly(date=on, send_at_local=at, timezone=timezone, leap_day_policy=LeapDayPolicy.FEB_28)
    due_at = promised_instant(datetime.combine(on, at), timezone)

    now_and_then = [next_due_at(rule, after=after) for after in (due_at - SECOND, due_at)]

    assert [due and due.local_date.year for due in now_and_then] == [on.year, on.year + 1]
