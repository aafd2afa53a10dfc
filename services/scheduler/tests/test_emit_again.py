import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
from domain.events import OccurrenceCompleted, UserNameChanged
from messaging.envelope import read
from messaging.topology import Topology
from msgspec import structs
from runtime.database import Connection, Pool
from scheduler.emit_again import emit_again, emit_unanswered
from testkit import build
from testkit.wait import eventually

Plan = Callable[..., Coroutine[Any, Any, None]]
Emit = Callable[..., Awaitable[int]]
Hear = Callable[..., Awaitable[None]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]

RING = datetime(2026, 12, 10, 9, tzinfo=UTC)
LATER = timedelta(minutes=15)
OVERDUE = "UPDATE schedule.occurrences SET check_at = now() - interval '1 s' WHERE status = 'PROCESSING'"


async def test_what_nobody_answered_is_emitted_again_under_the_same_id_word_for_word(
    plan: Plan, emit: Emit, outbox: Rows, pool: Pool, topology: Topology, admin: Connection
) -> None:
    created = build.user_created()
    await plan(created)
    await emit(RING + timedelta(minutes=2))
    renamed = structs.asdict(structs.replace(created, version=2, first_name="Augusta"))
    await plan(UserNameChanged(**renamed))
    await admin.execute(OVERDUE)

    assert await emit_unanswered(pool, topology, batch=10, check_after=LATER) == 1

    first, again = await outbox()
    assert first["event_id"] == again["event_id"]
    # Without the number of its row and its times in the outbox it is the same message.
    varying = {"id", "appended_at", "available_at"}
    assert {name: value for name, value in first.items() if name not in varying} == {
        name: value for name, value in again.items() if name not in varying
    }


async def test_what_may_still_be_answered_is_left_alone(
    plan: Plan, emit: Emit, outbox: Rows, pool: Pool, topology: Topology
) -> None:
    await plan(build.user_created())
    await emit(RING)

    assert await emit_unanswered(pool, topology, batch=10, check_after=LATER) == 0
    assert len(await outbox()) == 1


async def test_what_was_answered_is_not_emitted_again(
    plan: Plan, emit: Emit, hear: Hear, processing: Rows, pool: Pool, topology: Topology, admin: Connection
) -> None:
    await plan(build.user_created())
    await emit(RING)
    [row] = await processing()
    await admin.execute(OVERDUE)
    await hear(
        OccurrenceCompleted(
            due_event_id=row["event_id"], user_id=row["user_id"], occurred_at=RING, results=()
        )
    )

    assert await emit_unanswered(pool, topology, batch=10, check_after=LATER) == 0


async def test_emitted_again_it_has_as_long_to_be_answered_as_the_first_time(
    plan: Plan, emit: Emit, processing: Rows, pool: Pool, topology: Topology, admin: Connection
) -> None:
    await plan(build.user_created())
    await emit(RING)
    await admin.execute(OVERDUE)
    await emit_unanswered(pool, topology, batch=10, check_after=timedelta(hours=1))

    [row] = await processing()
    wait = row["check_at"] - await admin.fetchval("SELECT now()")
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)
    assert await emit_unanswered(pool, topology, batch=10, check_after=LATER) == 0


async def test_two_schedulers_ask_once(
    plan: Plan, emit: Emit, outbox: Rows, pool: Pool, topology: Topology, admin: Connection
) -> None:
    await plan(*(build.user_created() for _ in range(100)))
    await emit(RING)
    await admin.execute(OVERDUE)

    again = await asyncio.gather(
        *(emit_unanswered(pool, topology, batch=60, check_after=LATER) for _ in range(4))
    )

    assert sum(again) == 100
    assert len(await outbox()) == 200


async def test_the_loop_finds_it_within_a_second_or_so(
    plan: Plan, emit: Emit, outbox: Rows, pool: Pool, topology: Topology, admin: Connection
) -> None:
    await plan(build.user_created())
    await emit(RING)
    stop = asyncio.Event()
    loop = asyncio.create_task(emit_again(pool, topology, stop, batch=10, check_after=LATER))
    await admin.execute(OVERDUE)

    async def twice() -> bool:
        return len(await outbox()) == 2

    await eventually(twice, within=2)
    stop.set()
    await loop


async def test_the_lateness_it_tells_of_is_the_first_rings(
    plan: Plan, emit: Emit, outbox: Rows, pool: Pool, topology: Topology, admin: Connection
) -> None:
    await plan(build.user_created())
    await emit(RING + timedelta(seconds=3))
    await admin.execute(OVERDUE)
    await emit_unanswered(pool, topology, batch=10, check_after=LATER)

    told = [msgspec.to_builtins(read(row["body"])[1])["lateBySeconds"] for row in await outbox()]
    assert told == [3, 3]
