import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import pytest
from aiohttp import web
from domain.events import Event, OccurrenceCompleted
from domain.retry import Decision, Response
from messaging.consume import Received
from messaging.slots import Slots
from msgspec import structs
from runtime.database import Connection
from runtime.merge import Merge
from structlog.testing import capture_logs
from testkit.fresh_database import FreshDatabase
from testkit.receiver import Receiver, Reply
from testkit.wait import eventually
from webhook_worker.deliver import Deliverer
from webhook_worker.delivery import Attempt, Delivery
from webhook_worker.endpoint import Endpoint

Due = Callable[..., Received]
Take = Callable[..., Coroutine[Any, Any, list[Delivery]]]
Record = Callable[..., Coroutine[Any, Any, list[Decision]]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]
Told = Callable[[], Coroutine[Any, Any, list[tuple[UUID, Event]]]]


class Worker(Protocol):
    deliverer: Deliverer
    slots: Slots


@pytest.fixture
async def outside(database: FreshDatabase) -> AsyncIterator[Connection]:
    """Give a superuser's connection to another database, which sees this one come and go."""
    connection = await asyncpg.connect(database.server.url(database="postgres"))
    yield connection
    connection.terminate()


async def close_database(outside: Connection, database: FreshDatabase) -> None:
    """Let nobody in, and cut the worker's connections."""
    await outside.execute(f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS false")
    await outside.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND usename = $2",
        database.name,
        "carillon_webhook_worker",
    )


async def test_an_answer_that_finds_the_database_away_is_recorded_when_it_returns(  # noqa: PLR0913, PLR0917
    worker: Worker,
    endpoint: Endpoint,
    take: Take,
    due: Due,
    receiver: Receiver,
    database: FreshDatabase,
    outside: Connection,
    told: Told,
    attempts: Rows,
) -> None:
    async def answer(_: web.Request) -> int:
        await close_database(outside, database)
        return 204

    receiver.reply_with([answer])
    [delivery] = await take(due())
    await worker.slots.reserve(1)

    worker.deliverer.start(endpoint, delivery, worker.slots.release)
    await receiver.wait_for(1)
    await eventually(lambda: worker.slots.free == 100)  # the next may be asked, before this one is recorded
    await outside.execute(f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS true")
    await worker.deliverer.finish(within=5)

    assert receiver.tally.received == 1
    assert [row["status"] for row in await attempts()] == [204]
    assert [type(event) for _, event in await told()] == [OccurrenceCompleted]


async def test_slots_are_kept_while_too_many_answers_wait_to_be_recorded(
    endpoint: Endpoint, take: Take, due: Due
) -> None:
    recorded = asyncio.Event()

    async def post(_: Endpoint, delivery: Delivery) -> Attempt:
        return Attempt(delivery=delivery, at=datetime.now(UTC), outcome=Response(200), latency_ms=1)

    async def record(_: Attempt) -> None:
        await recorded.wait()

    deliverer, slots = Deliverer(post, record, most_unrecorded=3), Slots(5)
    await slots.reserve(5)
    for delivery in await take(*(due() for _ in range(5))):
        deliverer.start(endpoint, delivery, slots.release)
    await eventually(lambda: slots.free == 3)
    with pytest.raises(AssertionError):
        await eventually(lambda: slots.free != 3, within=0.2)
    recorded.set()
    await deliverer.finish(within=5)

    assert slots.free == 5


async def test_a_delivery_under_way_is_not_posted_again_though_its_lease_ran_out(
    worker: Worker, endpoint: Endpoint, take: Take, due: Due, receiver: Receiver
) -> None:
    receiver.reply_with([Reply(after_seconds=0.3)])
    [delivery] = await take(due())
    done = []

    worker.deliverer.start(endpoint, delivery, lambda: done.append("first"))
    worker.deliverer.start(endpoint, structs.replace(delivery, attempt=2), lambda: done.append("second"))

    assert done == ["second"]
    await worker.deliverer.finish(within=5)
    assert done == ["second", "first"]
    assert receiver.tally.received == 1


async def test_an_attempt_that_cannot_be_written_takes_no_other_with_it(
    endpoint: Endpoint, take: Take, due: Due, record: Record, deliveries: Rows
) -> None:
    async def post(_: Endpoint, delivery: Delivery) -> Attempt:
        status = 99_999 if delivery == bad else 200  # more than the column holds
        return Attempt(delivery=delivery, at=datetime.now(UTC), outcome=Response(status), latency_ms=1)

    leased = await take(*(due() for _ in range(20)))
    bad = leased[7]
    merged: Merge[Attempt, Decision] = Merge(lambda attempts: record(*attempts))
    deliverer = Deliverer(post, merged.put)
    slots = Slots(20)
    await slots.reserve(20)

    with capture_logs() as logged:
        for delivery in leased:
            deliverer.start(endpoint, delivery, slots.release)
        await deliverer.finish(within=5)

    assert slots.free == 20
    assert [line["event_id"] for line in logged if line["event"] == "delivery.attempt_lost"] == [
        str(bad.event_id)
    ]
    assert {row["event_id"]: row["status"] for row in await deliveries()} == {
        delivery.event_id: "pending" if delivery == bad else "delivered" for delivery in leased
    }


async def test_a_drain_waits_for_what_is_under_way_and_cuts_off_what_takes_too_long(
    worker: Worker, endpoint: Endpoint, take: Take, due: Due, receiver: Receiver, deliveries: Rows
) -> None:
    receiver.reply_with([Reply(after_seconds=0.1), Reply(after_seconds=0.9)])
    quick, slow = await take(due(), due())
    await worker.slots.reserve(2)
    worker.deliverer.start(endpoint, quick, worker.slots.release)
    await receiver.wait_for(1)
    worker.deliverer.start(endpoint, slow, worker.slots.release)
    await receiver.wait_for(2)

    await worker.deliverer.finish(within=0.4)

    assert {row["id"]: row["status"] for row in await deliveries()} == {
        quick.id: "delivered",
        slow.id: "pending",
    }
    assert worker.slots.free == 100


async def test_a_hundred_attempts_are_under_way_side_by_side(
    worker: Worker, endpoint: Endpoint, take: Take, due: Due, receiver: Receiver
) -> None:
    together = asyncio.Barrier(100)

    async def meet(_: web.Request) -> int:
        await together.wait()
        return 204

    receiver.reply_with([meet] * 100)
    for delivery in await take(*(due() for _ in range(100))):
        worker.deliverer.start(endpoint, delivery, lambda: None)
    await worker.deliverer.finish(within=5)

    assert receiver.tally.accepted == 100
