"""What is claimed first, and that nothing hides behind what is claimed before it."""

from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from domain.events import DueEvent
from domain.priority import Priority
from messaging.envelope import read
from runtime.database import Connection, Pool
from scheduler.read_clock import read_clock
from testkit import build

Plan = Callable[..., Coroutine[Any, Any, None]]
Emit = Callable[..., Awaitable[int]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]

RING = datetime(2026, 12, 10, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def test_a_birthday_does_not_wait_behind_a_burst_of_notifications(
    plan: Plan, emit: Emit, outbox: Rows
) -> None:
    user = build.user_created()
    burst = [build.notification_added(user_id=user.user_id, at=RING - MINUTE) for _ in range(60)]
    await plan(user, *burst)

    assert await emit(RING, batch=1) == 1

    assert [row["event_type"] for row in await outbox()] == ["BirthdayDue"]


async def test_the_oldest_come_first_within_a_priority_and_an_occasions_own_priority_counts(
    plan: Plan, emit: Emit, outbox: Rows
) -> None:
    user = build.user_created(send_at_local=(RING - MINUTE).time())
    wanted = [
        (Priority.CRITICAL, timedelta(hours=2)),
        (None, 3 * MINUTE),  # a notification's is low
        (Priority.HIGH, MINUTE),
        (None, 4 * MINUTE),
        (Priority.HIGH, 2 * MINUTE),
    ]
    await plan(
        user,
        *(
            build.notification_added(user_id=user.user_id, priority=priority, at=RING - late)
            for priority, late in wanted
        ),
    )

    for _ in range(6):
        assert await emit(RING, batch=1) == 1

    rung = [read(row["body"])[1] for row in await outbox()]
    assert [(event.priority, RING - event.due_at) for event in rung if isinstance(event, DueEvent)] == [
        (Priority.CRITICAL, timedelta(hours=2)),
        (Priority.CRITICAL, MINUTE),  # the birthday
        (Priority.HIGH, 2 * MINUTE),
        (Priority.HIGH, MINUTE),
        (Priority.LOW, 4 * MINUTE),
        (Priority.LOW, 3 * MINUTE),
    ]


async def test_one_batch_takes_of_several_priorities_no_more_than_it_may(
    plan: Plan, emit: Emit, outbox: Rows
) -> None:
    user = build.user_created()
    await plan(
        user,
        *(
            build.notification_added(user_id=user.user_id, priority=priority, at=RING)
            for priority in Priority
            for _ in range(3)
        ),
    )

    claimed = [await emit(RING, batch=5) for _ in range(4)]

    assert claimed == [5, 5, 3, 0]
    priorities = [row["priority"] for row in await outbox()]
    assert [sorted(priorities[start:end]) for start, end in ((0, 5), (5, 10), (10, 13))] == [
        [0, 0, 0, 0, 1],
        [1, 1, 2, 2, 2],
        [3, 3, 3],
    ]


@pytest.mark.parametrize("priority", Priority)
async def test_the_next_due_instant_is_found_whatever_its_priority(
    plan: Plan, pool: Pool, admin: Connection, priority: Priority
) -> None:
    user = build.user_created()
    notice = build.notification_added(user_id=user.user_id, priority=priority, at=RING - MINUTE)
    await plan(user, notice)
    offset = RING - await admin.fetchval("SELECT now()")

    early = await read_clock(pool, offset=offset - 2 * MINUTE)
    late = await read_clock(pool, offset=offset + MINUTE / 2)

    assert (early.oldest_due_at, early.next_due_at) == (RING - MINUTE, RING - MINUTE)
    assert (late.oldest_due_at, late.next_due_at) == (RING - MINUTE, RING)  # the birthday is no backlog yet


async def test_what_is_parked_neither_rings_nor_wakes_anybody(
    plan: Plan, emit: Emit, pool: Pool, admin: Connection
) -> None:
    await plan(build.user_created())
    await admin.execute("UPDATE schedule.occurrences SET parked = 'paused'")

    assert await emit(RING) == 0
    assert (await read_clock(pool, offset=timedelta(0))).oldest_due_at is None
