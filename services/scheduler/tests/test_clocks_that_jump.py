"""Clocks that jump, and clocks that differ: nothing rings twice or before its time, and nothing is missed."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

import asyncpg
import pytest
from domain.events import DueEvent
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from messaging.envelope import read
from messaging.topology import Topology
from runtime.database import Connection, Pool
from scheduler.catch_up import catch_up
from scheduler.emit_due import emit_batch, emit_due
from scheduler.read_clock import read_clock
from testkit import build
from testkit.wait import eventually

OpenPool = Callable[[], Awaitable[Pool]]
Plan = Callable[..., Coroutine[Any, Any, None]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]
Show = Callable[[datetime], Awaitable[None]]
Running = Callable[[timedelta], AbstractAsyncContextManager[None]]

RING = datetime(2026, 12, 10, 9, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
QUARTER = 15 * MINUTE
TEN_MINUTES_APART = [RING + number * 10 * MINUTE for number in range(8)]
FORGET = """
    DELETE FROM schedule.users; DELETE FROM schedule.occurrences; DELETE FROM schedule.history;
    DELETE FROM outbox.messages
"""
SEEN_AT_EIGHT = (
    "UPDATE schedule.pulse SET last_seen_at = '2026-12-10 08:00Z', returned_at = '2026-12-01 00:00Z'"
)
AROUND_NOW = """
    UPDATE schedule.occurrences
    SET due_at = now() + number * interval '1 min', ripe_at = NULL, planned_at = NULL
    FROM (SELECT event_id, row_number() OVER () - 31 AS number FROM schedule.occurrences) AS numbered
    WHERE occurrences.event_id = numbered.event_id
"""


@pytest.fixture
def show(pool: Pool, topology: Topology, admin: Connection) -> Show:
    """Have a scheduler's clock show an instant, and it emit all that is due by that."""

    async def emit_all(shown: datetime) -> None:
        moment = await read_clock(pool, offset=shown - await admin.fetchval("SELECT clock_timestamp()"))
        now, returned_at = moment.now, moment.returned_at
        while await emit_batch(
            pool, topology, now=now, batch=500, check_after=QUARTER, returned_at=returned_at
        ):
            pass

    return emit_all


async def each_rang_once_and_in_its_time(outbox: Rows, due: list[datetime]) -> None:
    events = [read(row["body"])[1] for row in await outbox()]
    rung = [event for event in events if isinstance(event, DueEvent)]
    assert len(events) == len(rung)  # nothing is told of as expired
    assert Counter(event.due_at for event in rung) == Counter(due)
    for event in rung:
        late = event.emitted_at - event.due_at
        assert timedelta(0) <= late
        assert event.late_by_seconds == late // SECOND


def birthdays(due: list[datetime]) -> list[Any]:
    return [build.user_created(send_at_local=at.time()) for at in due]


@pytest.mark.parametrize(
    "minutes",
    [[0, 10, 75, 85], [0, 30, -30, 0, 10, 20, 30, 40, 70], [75, 15, 75, 135]],
    ids=["an hour forwards", "an hour backwards", "backwards and forwards"],
)
async def test_when_the_clock_jumps_an_hour_each_rings_once_and_in_its_time(
    plan: Plan, show: Show, outbox: Rows, admin: Connection, minutes: list[int]
) -> None:
    await admin.execute(SEEN_AT_EIGHT)
    await plan(*birthdays(TEN_MINUTES_APART))

    for passed in minutes:
        await show(RING + passed * MINUTE + SECOND)

    await each_rang_once_and_in_its_time(outbox, TEN_MINUTES_APART)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(minutes=st.lists(st.integers(-120, 240), min_size=1, max_size=8))
async def test_whatever_clocks_show_each_rings_once_and_in_its_time(
    plan: Plan, show: Show, outbox: Rows, admin: Connection, minutes: list[int]
) -> None:
    await admin.execute(FORGET)
    await admin.execute(SEEN_AT_EIGHT)
    await plan(*birthdays(TEN_MINUTES_APART))

    for shown, most in zip(minutes, accumulate(minutes, max), strict=True):
        await show(RING + shown * MINUTE + SECOND)
        # What a clock has reached has rung, and what none has reached waits.
        reached = RING + most * MINUTE
        await each_rang_once_and_in_its_time(outbox, [due for due in TEN_MINUTES_APART if due <= reached])


@pytest.fixture
def running(open_pool: OpenPool, topology: Topology) -> Running:
    """Run a scheduler's loops, its business clock as far from the database's as told."""

    @asynccontextmanager
    async def run(offset: timedelta) -> AsyncIterator[None]:
        stop, pool = asyncio.Event(), await open_pool()
        shared: dict[str, Any] = {"offset": offset, "batch": 7, "check_after": QUARTER}
        loops = [
            asyncio.create_task(emit_due(pool, topology, stop, **shared)),
            asyncio.create_task(catch_up(pool, topology, stop, **shared, per_second=0)),
        ]
        try:
            yield
        finally:
            stop.set()
            async with asyncio.timeout(5):
                await asyncio.gather(*loops)

    return run


async def test_of_two_schedulers_an_hour_apart_one_rings_and_nobody_twice(
    plan: Plan, running: Running, outbox: Rows, history: Rows, admin: Connection
) -> None:
    await plan(*(build.user_created() for _ in range(90)))
    await admin.execute(AROUND_NOW)  # from half an hour ago to less than an hour ahead
    due = [row["due_at"] for row in await admin.fetch("SELECT due_at FROM schedule.occurrences")]

    async def all_rang() -> bool:
        return len(await outbox()) >= 90

    async with running(timedelta(0)), running(HOUR):
        await eventually(all_rang)

    await each_rang_once_and_in_its_time(outbox, due)
    assert await history() == []
