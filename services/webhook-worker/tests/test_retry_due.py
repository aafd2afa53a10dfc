import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any, Protocol

import asyncpg
from messaging.consume import Received
from messaging.slots import Slots
from runtime.database import Connection, Pool
from testkit.receiver import Receiver
from testkit.wait import eventually
from webhook_worker.breakers import Breakers
from webhook_worker.bulkheads import Bulkheads
from webhook_worker.delivery import Delivery
from webhook_worker.endpoint import DEFAULT_ENDPOINT_ID, Endpoint
from webhook_worker.endpoints import Endpoints
from webhook_worker.retry_due import lease_due, retry_due

Due = Callable[..., Received]
Take = Callable[..., Coroutine[Any, Any, list[Delivery]]]
Work = Callable[..., Coroutine[Any, Any, None]]
Retry = Callable[[], Awaitable[int]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]


class Worker(Protocol):
    bulkheads: Bulkheads


LEASE = timedelta(seconds=45)
ALL_DUE = "UPDATE delivery.deliveries SET next_attempt_at = now() WHERE status = 'pending'"


async def test_a_503_is_retried_later_with_the_same_webhook_id_and_the_same_body(
    work: Work, retry: Retry, due: Due, receiver: Receiver, deliveries: Rows, attempts: Rows
) -> None:
    receiver.reply_with([503, 500])
    ring = due()
    await work(ring)
    assert await retry() == 1
    assert await retry() == 1
    assert await retry() == 0

    assert [arrived.webhook_id for arrived in receiver.deliveries] == [str(ring.event_id)] * 3
    assert [arrived.body for arrived in receiver.deliveries] == [receiver.deliveries[0].body] * 3
    assert [(row["attempt"], row["status"]) for row in await attempts()] == [(1, 503), (2, 500), (3, 204)]
    assert [(row["status"], row["attempts"]) for row in await deliveries()] == [("delivered", 3)]


async def test_two_workers_share_what_is_due_and_take_nothing_twice(
    take: Take, due: Due, pool: Pool, admin: Connection
) -> None:
    await take(*(due() for _ in range(120)))
    await admin.execute(ALL_DUE)

    leased = await asyncio.gather(
        *(lease_due(pool, {DEFAULT_ENDPOINT_ID: 100}, most=50, lease=LEASE) for _ in range(4))
    )

    assert len({one.id for each in leased for one in each}) == sum(map(len, leased)) == 120


async def test_the_loop_takes_what_is_due_for_free_slots_only_and_gives_every_slot_back(
    take: Take, due: Due, pool: Pool, endpoints: Endpoints, breakers: Breakers, admin: Connection
) -> None:
    await take(*(due() for _ in range(5)))
    await admin.execute(ALL_DUE)
    slots, stop = Slots(2), asyncio.Event()
    started: list[Delivery] = []
    finished: list[Callable[[], None]] = []

    def start(_: Endpoint, delivery: Delivery, done: Callable[[], None]) -> None:
        started.append(delivery)
        finished.append(done)

    bulkheads = Bulkheads(pool, endpoints, breakers, start)
    loop = asyncio.create_task(retry_due(pool, bulkheads, slots, stop, lease=LEASE))
    for expected in (2, 4, 5):
        await eventually(lambda: len(started) == expected)  # noqa: B023 (asked before the next turn)
        assert slots.free == 0 or expected == 5
        while finished:
            finished.pop()()
    stop.set()
    async with asyncio.timeout(2):
        await loop

    assert len({delivery.id for delivery in started}) == 5
    assert slots.free == 2


async def test_a_lost_database_costs_no_slot(pool: Pool, worker: Worker) -> None:
    slots, stop = Slots(3), asyncio.Event()
    pool.terminate()

    try:
        async with asyncio.timeout(2):
            await retry_due(pool, worker.bulkheads, slots, stop, lease=LEASE)
    except asyncpg.InterfaceError:
        pass

    assert slots.free == 3
