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
from scheduler.due_event import due_types
from scheduler.on_user_event import on_user_events
from scheduler.plan_following import following, plan_following
from testkit import build
from testkit.wait import eventually

OpenPool = Callable[[], Awaitable[Pool]]
Plan = Callable[..., Coroutine[Any, Any, None]]
Emit = Callable[..., Awaitable[int]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]

SQL = Statements("scheduler")
RING = datetime(2026, 12, 10, 9, tzinfo=UTC)

# Who says so stands still at each row it reads, its snapshot taken and the row not locked yet.
STAND_STILL = """
CREATE FUNCTION public.may_read() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('test.stands_still', true) = 'yes' THEN
        PERFORM pg_advisory_xact_lock_shared(1);
    END IF;
    RETURN true;
END
$$;
ALTER TABLE schedule.occurrences ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON schedule.occurrences USING (public.may_read());
"""


async def claim(connection: Connection, topology: Topology) -> None:
    """Do what a claim does, up to its commit."""
    rows = await connection.fetch(SQL["claim_due"], RING, 500, timedelta(minutes=15), None, RING)
    await plan_following(connection, [(row, following(row, due_types(topology))) for row in rows])


async def until_one_waits(admin: Connection, *, others: int = 0) -> None:
    """Wait until one more than `others` waits for a lock."""

    async def waits() -> bool:
        waiting = await admin.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(waiting) > others

    await eventually(waits, message="nobody waits for a lock")


@pytest.mark.parametrize("others", [0, 3])
async def test_a_change_while_a_claim_holds_the_row_waits_and_plans_after_the_ring(
    plan: Plan,
    pending: Rows,
    processing: Rows,
    pool: Pool,
    topology: Topology,
    admin: Connection,
    others: int,
) -> None:
    created = build.user_created()
    moved = UserTimezoneChanged(
        **structs.asdict(structs.replace(created, version=2, timezone="America/Los_Angeles"))
    )
    batch = [moved, *(build.user_created() for _ in range(others))]
    await plan(created)

    async with pool.acquire() as connection:
        async with connection.transaction():
            await claim(connection, topology)
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
    plan: Plan, pending: Rows, history: Rows, pool: Pool, topology: Topology, admin: Connection
) -> None:
    created = build.user_created()
    await plan(created)

    async with pool.acquire() as connection:
        async with connection.transaction():
            await claim(connection, topology)
            deletion = asyncio.create_task(plan(build.user_deleted(created.user_id)))
            await until_one_waits(admin)
        await deletion

    assert await pending() == []
    assert [(row["nominal_date"], row["status"]) for row in await history()] == [("2027-12-10", "CANCELLED")]


async def test_a_change_while_a_claim_rings_a_one_off_does_not_plan_it_again(
    plan: Plan, pending: Rows, processing: Rows, pool: Pool, topology: Topology, admin: Connection
) -> None:
    user, notification = build.user_created(first_date="2027-12-10"), build.notification_added()
    changed = structs.replace(notification, version=2, user_id=user.user_id)
    await plan(user, structs.replace(notification, user_id=user.user_id))

    async with pool.acquire() as connection:
        async with connection.transaction():
            await claim(connection, topology)
            change = asyncio.create_task(plan(changed, structs.replace(user, version=2)))
            await until_one_waits(admin)
        await change

    assert [row["occasion_version"] for row in await processing()] == [1]
    assert [row["occasion_type"] for row in await pending()] == ["BIRTHDAY"]


async def test_of_a_users_event_and_their_occasions_at_two_schedulers_the_second_plans(
    plan: Plan, open_pool: OpenPool, topology: Topology, pending: Rows, admin: Connection
) -> None:
    user = build.user_created()
    moved = UserTimezoneChanged(**structs.asdict(structs.replace(user, version=2, timezone="Asia/Tokyo")))
    reminder = build.reminder_added(user_id=user.user_id)
    await plan(user)
    other = await open_pool()

    async with admin.transaction():
        await admin.execute("SELECT FROM schedule.occurrences FOR UPDATE")
        first = asyncio.create_task(plan(moved))  # has written the user, and waits for their birthday
        await until_one_waits(admin)
        second = asyncio.create_task(on_user_events(other, topology, [received(reminder)]))
        await until_one_waits(admin, others=1)
    await asyncio.gather(first, second)

    assert [(row["occasion_type"], row["timezone"]) for row in await pending()] == [
        ("REMINDER", "Asia/Tokyo"),
        ("BIRTHDAY", "Asia/Tokyo"),
    ]


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


@pytest.mark.parametrize("of", ["user", "occasion"])
async def test_a_row_that_changes_between_a_claims_snapshot_and_its_lock_is_claimed_next_as_it_is_then(
    plan: Plan, emit: Emit, processing: Rows, pool: Pool, admin: Connection, of: str
) -> None:
    user = build.user_created(first_date="2027-12-10")
    reminder = build.reminder_added(user_id=user.user_id)
    await plan(user, reminder)
    changed: Event = structs.replace(user, version=2, first_name="Augusta")
    if of == "occasion":
        changed = structs.replace(reminder, version=2, message="Water them now")
    await admin.execute(STAND_STILL)

    async with pool.acquire() as connection:
        await connection.execute("SET test.stands_still = 'yes'")
        async with admin.transaction():
            await admin.execute("SELECT pg_advisory_xact_lock(1)")
            claimed = asyncio.create_task(
                connection.fetch(SQL["claim_due"], RING, 500, timedelta(minutes=15), None, RING)
            )
            await until_one_waits(admin)
            await plan(changed)
        assert await claimed == []

    assert await emit(RING) == 1
    [row] = await processing()
    assert (row["first_name"], row["message"], row["user_version"], row["occasion_version"]) == (
        ("Augusta", reminder.message, 2, 1) if of == "user" else ("Ada", "Water them now", 1, 2)
    )


async def test_schedulers_with_overlapping_batches_in_any_order_never_deadlock(
    open_pool: OpenPool, emit: Emit, topology: Topology, admin: Connection
) -> None:
    pools = [await open_pool() for _ in range(3)]
    users = [build.user_created() for _ in range(100)]
    occasions = [
        added(user_id=user.user_id)
        for user in users
        for added in (build.reminder_added, build.notification_added)
    ]

    async def plan_all(pool: Pool, version: int, order: int) -> None:
        events = [structs.replace(event, version=version) for event in [*users, *occasions][::order]]
        for part in (events[:150], events[150:]):
            await on_user_events(pool, topology, [received(event) for event in part])

    async def emit_all() -> None:
        # A notification has no next date: its claim marks the occasion, which others are about to write.
        for _ in range(10):
            await emit(RING, batch=20)

    for version in range(1, 10, 3):
        await asyncio.gather(
            plan_all(pools[0], version, 1),
            plan_all(pools[1], version + 1, -1),
            plan_all(pools[2], version + 2, 1),
            emit_all(),
        )

    for table in ("SELECT version FROM schedule.users", "SELECT version FROM schedule.occasions"):
        assert {row["version"] for row in await admin.fetch(table)} == {9}
    counts = await admin.fetch(
        "SELECT occasion_type, count(*), count(DISTINCT occasion_id) FROM schedule.occurrences"
        " WHERE status = 'PENDING' OR occasion_type = 'NOTIFICATION' GROUP BY 1 ORDER BY 1"
    )
    assert [tuple(row) for row in counts] == [
        ("BIRTHDAY", 100, 100),
        ("NOTIFICATION", 100, 100),  # rung or to be rung, each once
        ("REMINDER", 100, 100),
    ]


def received(event: Event) -> Received:
    return Received(event_id=UUID(int=0), event=event, receipt="")
