import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from domain.events import Event, UserTimezoneChanged
from domain.ids import birthday_occasion_id
from messaging.consume import Received
from messaging.topology import Topology
from msgspec import structs
from runtime.database import Connection, Pool
from runtime.statements import Statements
from scheduler.due_event import due_priorities
from scheduler.on_user_event import on_user_events
from scheduler.plan_following import plan_following
from testkit import build
from testkit.wait import eventually

OpenPool = Callable[[], Awaitable[Pool]]
Plan = Callable[..., Coroutine[Any, Any, None]]
Emit = Callable[..., Awaitable[int]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]

SQL = Statements("scheduler")
RING = datetime(2026, 12, 10, 9, tzinfo=UTC)


async def claim(connection: Connection) -> None:
    """Do what a claim does, up to its commit."""
    rows = await connection.fetch(SQL["claim_due"], RING, 500, timedelta(minutes=15))
    await plan_following(connection, rows)


async def until_one_waits(admin: Connection) -> None:
    async def waits() -> int:
        return int(
            await admin.fetchval(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
        )

    await eventually(waits, message="nobody waits for a lock")


@pytest.mark.parametrize("others", [0, 3])
async def test_a_change_while_a_claim_holds_the_row_waits_and_plans_after_the_ring(
    plan: Plan, pending: Rows, processing: Rows, pool: Pool, admin: Connection, others: int
) -> None:
    created = build.user_created()
    moved = UserTimezoneChanged(
        **structs.asdict(structs.replace(created, version=2, timezone="America/Los_Angeles"))
    )
    batch = [moved, *(build.user_created() for _ in range(others))]
    await plan(created)

    async with pool.acquire() as connection:
        async with connection.transaction():
            await claim(connection)
            change = asyncio.create_task(plan(*batch))
            await until_one_waits(admin)
        await change

    assert [row["nominal_date"] for row in await processing()] == ["2026-12-10"]
    [row] = [row for row in await pending() if row["user_id"] == created.user_id]
    assert (row["nominal_date"], row["after_date"], row["timezone"], row["user_version"]) == (
        "2027-12-10",
        "2026-12-10",
        "America/Los_Angeles",
        2,
    )


async def test_a_deletion_while_a_claim_holds_the_row_waits_and_cancels_the_next_date(
    plan: Plan, pending: Rows, history: Rows, pool: Pool, admin: Connection
) -> None:
    created = build.user_created()
    await plan(created)

    async with pool.acquire() as connection:
        async with connection.transaction():
            await claim(connection)
            deletion = asyncio.create_task(plan(build.user_deleted(created.user_id)))
            await until_one_waits(admin)
        await deletion

    assert await pending() == []
    assert [(row["nominal_date"], row["status"]) for row in await history()] == [("2027-12-10", "CANCELLED")]


async def test_a_claim_passes_over_a_row_that_is_being_planned_and_takes_it_as_it_is_then(
    plan: Plan, emit: Emit, processing: Rows, pool: Pool
) -> None:
    created = build.user_created()
    await plan(created)

    async with pool.acquire() as connection, connection.transaction():
        await connection.fetch(SQL["lock_pending"], [birthday_occasion_id(created.user_id)], [])
        assert await emit(RING) == 0
    await plan(structs.replace(created, version=2, first_name="Augusta"))

    assert await emit(RING) == 1
    assert [row["first_name"] for row in await processing()] == ["Augusta"]


async def test_schedulers_with_overlapping_batches_in_any_order_never_deadlock(
    open_pool: OpenPool, emit: Emit, topology: Topology, admin: Connection
) -> None:
    pools = [await open_pool() for _ in range(3)]
    users = [build.user_created() for _ in range(150)]

    async def plan_all(pool: Pool, version: int, order: int) -> None:
        batch = [structs.replace(user, version=version) for user in users][::order]
        await on_user_events(pool, due_priorities(topology), [received(event) for event in batch])

    for version in range(1, 10, 3):
        await asyncio.gather(
            plan_all(pools[0], version, 1),
            plan_all(pools[1], version + 1, -1),
            plan_all(pools[2], version + 2, 1),
            emit(RING, batch=50),
        )

    assert {row["version"] for row in await admin.fetch("SELECT version FROM schedule.users")} == {9}
    [counts] = await admin.fetch(
        "SELECT count(*), count(DISTINCT occasion_id) FROM schedule.occurrences WHERE status = 'PENDING'"
    )
    assert tuple(counts) == (150, 150)


def received(event: Event) -> Received:
    return Received(event_id=UUID(int=0), event=event, receipt="")
