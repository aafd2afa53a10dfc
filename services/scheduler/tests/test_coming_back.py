"""The system was down: what it left is judged once, when it returns, and sent late or told of as expired."""

from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid5

import asyncpg
import pytest
from domain.events import OccurrenceExpired, UserNameChanged, UserTimezoneChanged
from messaging.envelope import read
from messaging.topology import Topology
from msgspec import structs
from runtime.database import Connection, Pool
from scheduler.emit_due import emit_batch
from scheduler.read_clock import Moment, read_clock
from testkit import build

Plan = Callable[..., Coroutine[Any, Any, None]]
Emit = Callable[..., Awaitable[int]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]
Look = Callable[[datetime], Awaitable[Moment]]

RING = datetime(2026, 12, 10, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def look(pool: Pool, admin: Connection) -> Look:
    """Begin a round at an instant, or a moment after it, by the business clock."""

    async def look_at(now: datetime) -> Moment:
        return await read_clock(pool, offset=now - await admin.fetchval("SELECT clock_timestamp()"))

    return look_at


async def lateness(outbox: Rows) -> list[object]:
    return [getattr(read(row["body"])[1], "late_by_seconds", None) for row in await outbox()]


async def test_what_is_within_the_window_is_sent_with_its_true_lateness(
    plan: Plan, emit: Emit, processing: Rows, outbox: Rows
) -> None:
    await plan(build.user_created())

    await emit(RING + 24 * HOUR, returned_at=RING + 24 * HOUR)

    [row] = await processing()
    assert (row["nominal_date"], await lateness(outbox)) == ("2026-12-10", [24 * 3600])


async def test_what_is_beyond_it_expires_with_an_event_and_its_next_date(
    plan: Plan, emit: Emit, pending: Rows, processing: Rows, history: Rows, outbox: Rows
) -> None:
    user = build.user_created()
    await plan(user)
    now = RING + 24 * HOUR + SECOND

    assert await emit(now, returned_at=now) == 1

    [over], [message], [following] = await history(), await outbox(), await pending()
    assert await processing() == []
    reason = "not sent within 24 h of its time"
    assert (over["status"], over["failure_reason"], over["emitted_at"]) == ("EXPIRED", reason, None)
    assert (following["nominal_date"], following["after_date"]) == ("2027-12-10", "2026-12-10")
    assert read(message["body"]) == (
        uuid5(over["event_id"], "OccurrenceExpired"),
        OccurrenceExpired(
            due_event_id=over["event_id"],
            occasion_id=over["occasion_id"],
            user_id=user.user_id,
            occurred_at=now,
            local_date=RING.date(),
            timezone="Europe/London",
            due_at=RING,
            late_by_seconds=24 * 3600 + 1,
            reason=reason,
        ),
    )


async def test_what_was_in_time_at_the_return_is_sent_however_long_the_drain_takes(
    plan: Plan, emit: Emit, processing: Rows, outbox: Rows
) -> None:
    reminded = build.user_created(date_of_birth=date(1990, 2, 1))
    await plan(reminded, build.reminder_added(user_id=reminded.user_id))
    returned_at, eight = RING + 24 * HOUR, RING - HOUR

    # The first of the daily reminders is just too late, the second is not, nor are those that follow it.
    for days in range(4):
        assert await emit(eight + days * 24 * HOUR + 100 * HOUR, returned_at=returned_at) == 1

    assert [row["nominal_date"][-2:] for row in await processing()] == ["11", "12", "13"]
    assert [row["event_type"] for row in await outbox()] == ["OccurrenceExpired", *["ReminderDue"] * 3]


async def test_what_its_event_brought_too_late_expires_though_nobody_was_away(
    plan: Plan, emit: Emit, history: Rows
) -> None:
    await plan(build.user_created(), at=RING + 25 * HOUR)
    await plan(build.user_created(), at=RING + 23 * HOUR)

    assert await emit(RING + 26 * HOUR) == 2

    assert [row["status"] for row in await history()] == ["EXPIRED"]


async def test_a_zone_change_that_makes_it_due_now_makes_it_no_day_late(
    plan: Plan, emit: Emit, processing: Rows
) -> None:
    """From one end of the world to the other: by its due time it is a day late, and yet nobody missed it."""
    user = build.user_created(timezone="Pacific/Pago_Pago", send_at_local=time(23))
    moved_at = datetime(2026, 12, 11, 9, 30, tzinfo=UTC)  # half an hour before it rings there
    moved = structs.replace(user, version=2, timezone="Pacific/Kiritimati", occurred_at=moved_at)
    own_time = datetime.combine(RING.date(), time(23))  # local to its user
    await plan(user, build.reminder_added(user_id=user.user_id, local_date_time=own_time, rrule=None))
    await plan(UserTimezoneChanged(**structs.asdict(moved)), at=moved_at + SECOND)

    assert await emit(moved_at + SECOND, returned_at=moved_at + SECOND) == 2

    rung = [(row["local_date"], row["emitted_at"] - row["due_at"]) for row in await processing()]
    assert rung == [(RING.date(), 24.5 * HOUR + SECOND)] * 2
    assert {row["ripe_at"] for row in await processing()} == {moved_at}


async def test_a_change_that_leaves_the_date_makes_what_is_missed_no_younger(
    plan: Plan, emit: Emit, history: Rows
) -> None:
    user = build.user_created()
    await plan(user)
    back = RING + 25 * HOUR
    renamed = structs.replace(user, version=2, first_name="Augusta", occurred_at=RING + 20 * HOUR)
    await plan(UserNameChanged(**structs.asdict(renamed)), at=back)

    await emit(back, returned_at=back)

    assert [row["status"] for row in await history()] == ["EXPIRED"]


async def test_a_change_during_a_long_drain_makes_nothing_missed(
    plan: Plan, emit: Emit, processing: Rows
) -> None:
    user = build.user_created()
    await plan(user)
    renamed = structs.replace(user, version=2, first_name="Augusta", occurred_at=RING + 30 * HOUR)
    await plan(UserNameChanged(**structs.asdict(renamed)), at=RING + 30 * HOUR)

    await emit(RING + 31 * HOUR, returned_at=RING + HOUR)

    assert [row["first_name"] for row in await processing()] == ["Augusta"]


async def test_the_window_is_the_event_types_own(
    plan: Plan, pool: Pool, topology: Topology, history: Rows, processing: Rows
) -> None:
    own = {"BirthdayDue": 1.0, "ReminderDue": None}
    event_types = {
        name: structs.replace(entry, catch_up_hours=own.get(name, entry.catch_up_hours))
        for name, entry in topology.event_types.items()
    }
    user = build.user_created()
    await plan(user, build.reminder_added(user_id=user.user_id))
    now = RING + 2 * HOUR

    await emit_batch(
        pool,
        structs.replace(topology, event_types=event_types),
        now=now,
        batch=10,
        check_after=HOUR,
        returned_at=now,
    )

    assert [row["failure_reason"] for row in await history()] == ["not sent within 1 h of its time"]
    assert [row["occasion_type"] for row in await processing()] == ["REMINDER"]


async def test_a_return_is_the_first_look_after_a_silence_of_all(look: Look) -> None:
    never = (await look(RING)).returned_at

    assert (await look(RING + 8 * SECOND)).returned_at == never < RING
    back = await look(RING + 30 * SECOND)
    assert back.returned_at == back.now
    assert (await look(RING + 31 * SECOND)).returned_at == back.now


async def test_a_clock_set_back_is_no_return_and_hides_none_that_was(look: Look) -> None:
    await look(RING)
    back = await look(RING + HOUR)

    returned = [(await look(RING + minutes * timedelta(minutes=1))).returned_at for minutes in (1, 30, 59)]

    assert returned == [back.now] * 3


async def test_two_schedulers_an_hour_apart_do_not_return_again_and_again(look: Look) -> None:
    returned = {
        (await look(RING + ahead * HOUR + second * SECOND)).returned_at
        for second in range(1, 20, 3)
        for ahead in (1, 0)
    }

    assert len(returned) == 1


async def test_a_sign_of_life_is_left_once_a_second_not_once_a_round(
    look: Look, statements: list[str], admin: Connection
) -> None:
    for tenth in range(25):
        await look(RING + tenth * SECOND / 10)

    assert [statement.startswith("UPDATE") for statement in statements].count(True) in {2, 3}
    assert await admin.fetchval("SELECT last_seen_at FROM schedule.pulse") >= RING + SECOND
