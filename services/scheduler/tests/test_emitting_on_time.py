import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from messaging.envelope import read
from messaging.topology import Topology
from runtime.database import Connection, Pool
from runtime.statements import Statements
from scheduler.emit_due import emit_due, side_by_side
from testkit import build
from testkit.wait import eventually

Plan = Callable[..., Coroutine[Any, Any, None]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]
Emitting = Callable[..., AbstractAsyncContextManager[None]]

SQL = Statements("scheduler")


@pytest.fixture
def emitting(pool: Pool, topology: Topology) -> Emitting:
    """Run the loop that emits what is due."""

    @asynccontextmanager
    async def run(*, offset: timedelta = timedelta(0), claimers: int = 2) -> AsyncIterator[None]:
        stop = asyncio.Event()
        loop = asyncio.create_task(
            emit_due(
                pool,
                topology,
                stop,
                offset=offset,
                batch=100,
                check_after=timedelta(minutes=15),
                claimers=claimers,
            )
        )
        try:
            yield
        finally:
            stop.set()
            async with asyncio.timeout(1):
                await loop

    return run


async def due_in(admin: Connection, wait: timedelta, *, offset: timedelta = timedelta(0)) -> datetime:
    """Move the one PENDING row to `wait` from now by the business clock."""
    moved: datetime = await admin.fetchval(
        "UPDATE schedule.occurrences SET due_at = now() + $1::interval + $2::interval RETURNING due_at",
        wait,
        offset,
    )
    return moved


@pytest.mark.parametrize("wait", [0.3, 0.7])
async def test_it_sleeps_until_the_due_instant_and_not_longer(
    plan: Plan, emitting: Emitting, outbox: Rows, admin: Connection, wait: float
) -> None:
    await plan(build.user_created())
    due_at = await due_in(admin, timedelta(seconds=wait))

    async with emitting():
        [message] = await eventually(outbox)

    late = message["appended_at"] - due_at
    assert timedelta(0) <= late < timedelta(seconds=0.1)


async def test_what_is_planned_during_its_sleep_waits_a_second_at_most(
    plan: Plan, emitting: Emitting, outbox: Rows, admin: Connection, statements: list[str]
) -> None:
    async with emitting():
        await eventually(lambda: SQL["read_clock"] in statements)
        await plan(build.user_created())
        due_at = await due_in(admin, timedelta(0))
        [message] = await eventually(outbox)

    assert message["appended_at"] - due_at < timedelta(seconds=1.1)


async def test_a_shifted_clock_decides_what_is_due_and_not_when_an_answer_is_late(
    plan: Plan, emitting: Emitting, outbox: Rows, processing: Rows, admin: Connection
) -> None:
    offset = timedelta(days=365 * 20)
    year = (datetime.now(UTC) + offset).year
    await plan(build.user_created(first_date=f"{year}-12-10"))
    due_at = await due_in(admin, timedelta(seconds=0.2), offset=offset)

    async with emitting(offset=offset):
        [message] = await eventually(outbox)

    [row] = await processing()
    database_now = await admin.fetchval("SELECT now()")
    assert timedelta(0) <= row["emitted_at"] - due_at < timedelta(seconds=0.1)
    assert timedelta(minutes=14) < row["check_at"] - database_now < timedelta(minutes=16)
    assert message["appended_at"] - database_now < timedelta(seconds=1)
    _, event = read(message["body"])
    assert getattr(event, "late_by_seconds", None) == 0


async def test_an_idle_loop_asks_once_a_second(
    emitting: Emitting, statements: list[str], admin: Connection
) -> None:
    started = await admin.fetchval("SELECT clock_timestamp()")
    async with emitting():
        await eventually(lambda: statements.count(SQL["read_clock"]) == 3)
    took = await admin.fetchval("SELECT clock_timestamp()") - started

    assert timedelta(seconds=1.9) < took


async def test_it_does_not_spin_while_another_scheduler_holds_what_is_due(
    plan: Plan, emitting: Emitting, outbox: Rows, pool: Pool, admin: Connection, statements: list[str]
) -> None:
    await plan(build.user_created())
    due_at = await due_in(admin, timedelta(0))

    async with pool.acquire() as other, other.transaction():
        await other.fetch(SQL["claim_due"], due_at, 500, timedelta(minutes=15), None, due_at)
        statements.clear()
        async with emitting():
            started = asyncio.get_running_loop().time()
            await eventually(lambda: asyncio.get_running_loop().time() - started > 0.5)

    assert 3 <= statements.count(SQL["claim_due"]) <= 30
    assert await outbox() == []


@pytest.mark.parametrize("claimers", [1, 3])
async def test_a_burst_is_shared_by_as_many_claimers_as_there_are(
    plan: Plan,
    emitting: Emitting,
    outbox: Rows,
    claimed_on: list[int],
    pool: Pool,
    admin: Connection,
    claimers: int,
) -> None:
    async with pool.acquire(), pool.acquire(), pool.acquire():
        pass  # open already, so that none is late for what the first one has done alone
    await plan(*(build.user_created() for _ in range(1000)))
    await admin.execute("UPDATE schedule.occurrences SET due_at = now()")

    async def all_rang() -> bool:
        return len(await outbox()) == 1000

    async with emitting(claimers=claimers):
        await eventually(all_rang)

    assert len({row["event_id"] for row in await outbox()}) == 1000
    assert len(set(claimed_on)) == claimers


async def test_claimers_end_together_though_one_fails() -> None:
    ended = []

    async def fail() -> None:
        raise ConnectionError("the database is away")

    async def finish() -> None:
        for _ in range(10):
            await asyncio.sleep(0)
        ended.append("finish")

    with pytest.raises(ConnectionError, match="away"):
        await side_by_side(fail(), finish())

    assert ended == ["finish"]
