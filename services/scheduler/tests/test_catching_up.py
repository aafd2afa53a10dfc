"""The backlog is drained at a limited rate, beside what is due now."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import asyncpg
import pytest
from messaging.topology import Topology
from runtime.database import Connection, Pool
from runtime.statements import Statements
from runtime.stopping import Stop
from scheduler.catch_up import catch_up
from scheduler.emit_due import emit_due
from testkit import build
from testkit.fresh_database import FreshDatabase
from testkit.wait import eventually

Plan = Callable[..., Coroutine[Any, Any, None]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]
Running = Callable[..., AbstractAsyncContextManager[None]]

SQL = Statements("scheduler")
DUE = "UPDATE schedule.occurrences SET due_at = now() - $1::interval, ripe_at = NULL, planned_at = NULL"
ONES = f"{DUE} WHERE user_id = $2"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def running(pool: Pool, topology: Topology) -> Running:
    """Run the loop that emits what is due, or the one that catches up, or both."""
    shared: dict[str, Any] = {"offset": timedelta(0), "batch": 500, "check_after": 15 * MINUTE}

    @asynccontextmanager
    async def run(*, on_time: bool = False, per_second: int | None = None) -> AsyncIterator[None]:
        stop = asyncio.Event()
        loops: list[Callable[[Stop], Coroutine[Any, Any, None]]] = []
        if on_time:
            loops.append(partial(emit_due, pool, topology, **shared))
        if per_second is not None:
            loops.append(partial(catch_up, pool, topology, **shared, per_second=per_second))
        tasks = [asyncio.create_task(loop(stop)) for loop in loops]
        try:
            yield
        finally:
            stop.set()
            async with asyncio.timeout(5):
                await asyncio.gather(*tasks)

    return run


async def test_the_backlog_is_emitted_no_faster_than_its_rate(
    plan: Plan, running: Running, outbox: Rows, admin: Connection
) -> None:
    await plan(*(build.user_created() for _ in range(120)))
    await admin.execute(DUE, 2 * MINUTE)

    async def all_rang() -> bool:
        return len(await outbox()) == 120

    async with running(per_second=60):
        await eventually(all_rang)

    first, *_, last = [row["appended_at"] for row in await outbox()]
    assert last - first > timedelta(seconds=0.9)


async def test_without_a_limit_it_goes_as_fast_as_it_can(
    plan: Plan, running: Running, outbox: Rows, admin: Connection
) -> None:
    await plan(*(build.user_created() for _ in range(700)))
    await admin.execute(DUE, 2 * MINUTE)

    async def all_rang() -> bool:
        return len(await outbox()) == 700

    async with running(per_second=0):
        await eventually(all_rang)


async def test_what_is_due_now_is_not_held_up_by_a_backlog(
    plan: Plan, running: Running, outbox: Rows, admin: Connection
) -> None:
    user = build.user_created()
    await plan(user, *(build.user_created() for _ in range(40)))
    await admin.execute(DUE, 2 * MINUTE)
    await admin.execute(ONES, timedelta(0), user.user_id)

    async def rang() -> bool:
        return str(user.user_id) in {row["group_id"] for row in await outbox()}

    async with running(on_time=True, per_second=1):
        await eventually(rang)

    assert len(await outbox()) < 41


async def test_what_is_due_now_leaves_the_backlog_to_its_own_pace(
    plan: Plan, running: Running, outbox: Rows, admin: Connection
) -> None:
    user = build.user_created()
    await plan(user, build.user_created())
    await admin.execute(DUE, 2 * MINUTE)
    await admin.execute(ONES, timedelta(0), user.user_id)

    async with running(on_time=True):
        await eventually(outbox)

    assert [row["group_id"] for row in await outbox()] == [str(user.user_id)]


async def test_what_falls_due_at_once_is_no_backlog_however_long_emitting_it_takes(
    plan: Plan, database: FreshDatabase, topology: Topology, outbox: Rows, admin: Connection
) -> None:
    class SlowClaims(asyncpg.Connection):
        """A connection on which every claim takes two minutes by the business clock."""

        spent = timedelta(0)

        async def fetch(self, query: str, *args: Any, **options: Any) -> Any:  # noqa: ANN401 (as asyncpg's)
            if query == SQL["read_clock"]:
                args = (args[0] + SlowClaims.spent, *args[1:])
            if query == SQL["claim_due"]:
                SlowClaims.spent += 2 * MINUTE
            return await super().fetch(query, *args, **options)

    await plan(*(build.user_created() for _ in range(300)))
    await admin.execute(DUE, timedelta(0))
    stop = asyncio.Event()

    async def all_rang() -> bool:
        return len(await outbox()) == 300

    url = database.url("carillon_scheduler")
    async with asyncpg.create_pool(url, min_size=1, connection_class=SlowClaims) as pool:
        emitting = asyncio.create_task(
            emit_due(pool, topology, stop, offset=timedelta(0), batch=100, check_after=15 * MINUTE)
        )
        await eventually(all_rang)
        stop.set()
        await emitting


async def test_after_two_days_away_each_is_judged_by_the_return(
    plan: Plan, running: Running, outbox: Rows, admin: Connection
) -> None:
    missed, late = build.user_created(), build.user_created()
    await plan(missed, late)
    await admin.execute(ONES, timedelta(hours=25), missed.user_id)
    await admin.execute(ONES, timedelta(hours=23), late.user_id)
    await admin.execute("UPDATE schedule.pulse SET last_seen_at = now() - interval '2 days'")

    async def both() -> bool:
        return len(await outbox()) == 2

    async with running(per_second=100):
        await eventually(both)

    assert {row["group_id"]: row["event_type"] for row in await outbox()} == {
        str(missed.user_id): "OccurrenceExpired",
        str(late.user_id): "BirthdayDue",
    }
