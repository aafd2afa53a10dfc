"""An endpoint takes so many attempts at once, first ones and retries; the others' wait costs them nothing."""

import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import pytest
from messaging.consume import Received
from messaging.slots import Slots
from runtime.database import Connection, Pool
from testkit.receiver import Receiver
from testkit.wait import eventually
from webhook_worker.breakers import Breakers
from webhook_worker.bulkheads import Bulkheads
from webhook_worker.deliver import Deliverer
from webhook_worker.delivery import Delivery
from webhook_worker.endpoint import Endpoint
from webhook_worker.endpoints import Endpoints
from webhook_worker.pace import Pace
from webhook_worker.retry_due import lease_due

Due = Callable[..., Received]
Receive = Callable[[Bulkheads, Slots, int], Coroutine[Any, Any, None]]
Register = Callable[..., Coroutine[Any, Any, UUID]]
Retrying = Callable[[Bulkheads, Slots], AbstractAsyncContextManager[None]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]
Take = Callable[..., Coroutine[Any, Any, list[Delivery]]]

LEASE = timedelta(seconds=45)


class Worker(Protocol):
    deliverer: Deliverer
    bulkheads: Bulkheads
    slots: Slots


class Held:
    """Attempts that were started and end when a test says so."""

    def __init__(self) -> None:
        self.started: list[Delivery] = []
        self._ends: list[Callable[[], None]] = []

    def start(self, _: Endpoint, delivery: Delivery, done: Callable[[], None]) -> None:
        self.started.append(delivery)
        self._ends.append(done)

    def end(self) -> None:
        self._ends.pop(0)()

    def count(self, endpoint_id: UUID) -> int:
        return sum(delivery.endpoint_id == endpoint_id for delivery in self.started)


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def bulkheads(pool: Pool, endpoints: Endpoints, breakers: Breakers, held: Held) -> Bulkheads:
    return Bulkheads(pool, endpoints, breakers, held.start)


async def test_what_an_endpoint_has_no_room_for_goes_back_with_its_attempts_unspent(  # noqa: PLR0913, PLR0917 (fixtures)
    bulkheads: Bulkheads,
    held: Held,
    receive: Receive,
    register: Register,
    receiver: Receiver,
    other: Receiver,
    deliveries: Rows,
    attempts: Rows,
) -> None:
    narrow, wide = await register(receiver, concurrency=2), await register(other, concurrency=9)
    slots = Slots(5)

    await receive(bulkheads, slots, 5)

    assert (held.count(narrow), held.count(wide)) == (2, 5)
    waiting = [row for row in await deliveries() if row["lease_token"] is None]
    assert [(row["endpoint_id"], row["status"], row["attempts"]) for row in waiting] == [
        (narrow, "pending", 0)
    ] * 3
    assert await attempts() == []
    assert slots.free == 0  # each message has an attempt under way
    for _ in range(7):
        held.end()
    assert slots.free == 5


def test_a_pace_is_so_many_at_once_and_then_so_many_a_second() -> None:
    pace = Pace(4, 100.0)

    free = [pace.free(100.0)]
    for _ in range(4):
        pace.take()
    free += [pace.free(now) for now in (100.0, 100.2, 100.5, 101.0, 200.0)]

    assert free == [4, 0, 0, 2, 4, 4]


async def test_beyond_an_endpoints_rate_attempts_wait_unspent_and_arrive_all_the_same(
    worker: Worker,
    receive: Receive,
    retrying: Retrying,
    register: Register,
    receiver: Receiver,
    deliveries: Rows,
    attempts: Rows,
) -> None:
    await register(receiver, concurrency=100, rate_limit=5)
    asked_at = time.monotonic()

    await receive(worker.bulkheads, worker.slots, 20)
    async with retrying(worker.bulkheads, Slots(50)):
        await receiver.wait_for(20, within=30)
        took = time.monotonic() - asked_at

    assert took >= 2.9  # 5 at once, the other 15 at 5 a second
    assert [row["attempt"] for row in await attempts()] == [1] * 20
    assert {row["status"] for row in await deliveries()} == {"delivered"}


async def test_a_message_whose_endpoints_all_have_no_room_gives_its_slot_back(
    bulkheads: Bulkheads, held: Held, receive: Receive, register: Register, receiver: Receiver
) -> None:
    await register(receiver, concurrency=1)
    slots = Slots(3)

    await receive(bulkheads, slots, 3)

    assert (len(held.started), slots.free) == (1, 2)


async def test_first_attempts_and_retries_share_an_endpoints_room(
    bulkheads: Bulkheads,
    held: Held,
    receive: Receive,
    register: Register,
    receiver: Receiver,
    pool: Pool,
) -> None:
    endpoint_id = await register(receiver, concurrency=3)
    await receive(bulkheads, Slots(5), 5)
    assert endpoint_id not in bulkheads.room()

    held.end()
    assert bulkheads.room()[endpoint_id] == 1
    leased = await lease_due(pool, bulkheads.room(), most=100, lease=LEASE)
    assert await bulkheads.admit(leased, lambda _: None) == len(leased) == 1

    assert endpoint_id not in bulkheads.room()
    assert len({delivery.id for delivery in held.started}) == 4


async def test_what_waits_leaves_a_fifth_of_an_endpoints_room_to_what_falls_due_now(
    bulkheads: Bulkheads,
    held: Held,
    receive: Receive,
    register: Register,
    receiver: Receiver,
    pool: Pool,
) -> None:
    endpoint_id = await register(receiver, concurrency=10)
    await receive(bulkheads, Slots(30), 30)
    assert held.count(endpoint_id) == 10
    for _ in range(10):
        held.end()

    leased = await lease_due(pool, bulkheads.room(), most=100, lease=LEASE)
    assert await bulkheads.admit(leased, lambda _: None) == 8
    assert endpoint_id not in bulkheads.room()
    await receive(bulkheads, Slots(5), 5)

    assert held.count(endpoint_id) == 10 + 8 + 2


async def test_an_endpoint_that_is_far_behind_takes_no_turn_of_another(
    take: Take,
    due: Due,
    register: Register,
    receiver: Receiver,
    other: Receiver,
    pool: Pool,
    admin: Connection,
) -> None:
    behind = await register(receiver, event_types=["birthday.due"])
    await take(*(due() for _ in range(300)))
    await admin.execute("UPDATE delivery.deliveries SET next_attempt_at = now() - interval '1 day'")
    prompt = await register(other)
    await take(due())
    await admin.execute(
        "UPDATE delivery.deliveries SET next_attempt_at = now() WHERE next_attempt_at > now()"
    )

    leased = await lease_due(pool, {behind: 10, prompt: 10}, most=100, lease=LEASE)

    assert sorted(one.endpoint_id for one in leased) == sorted([behind] * 10 + [prompt])


async def test_what_waits_for_room_is_sent_as_soon_as_there_is_some(
    worker: Worker,
    receive: Receive,
    retrying: Retrying,
    register: Register,
    receiver: Receiver,
    deliveries: Rows,
) -> None:
    await register(receiver, concurrency=2)
    slots = Slots(100)

    async with retrying(worker.bulkheads, slots):
        await receive(worker.bulkheads, worker.slots, 60)
        # Twice a second, two at a time, would be 15 s.
        await receiver.wait_for(60, within=7)

    assert receiver.tally.accepted == 60
    assert receiver.tally.duplicates == 0
    assert {(row["status"], row["attempts"]) for row in await deliveries()} == {("delivered", 1)}
    assert slots.free == 100


async def test_an_endpoint_that_hangs_keeps_no_webhook_of_another_waiting(  # noqa: PLR0913, PLR0917 (fixtures)
    worker: Worker,
    held: Held,
    breakers: Breakers,
    receive: Receive,
    retrying: Retrying,
    register: Register,
    receiver: Receiver,
    other: Receiver,
    pool: Pool,
    endpoints: Endpoints,
    deliveries: Rows,
) -> None:
    hanging, prompt = await register(receiver, concurrency=2), await register(other)

    def start(endpoint: Endpoint, delivery: Delivery, done: Callable[[], None]) -> None:
        (held if endpoint.id == hanging else worker.deliverer).start(endpoint, delivery, done)

    bulkheads, slots = Bulkheads(pool, endpoints, breakers, start), Slots(10)
    async with retrying(bulkheads, Slots(10)):
        for _ in range(6):
            await receive(bulkheads, slots, 5)
            # Its own two at most: the others are free again though nothing of it has ended.
            await eventually(lambda: slots.free >= 8)
        await other.wait_for(30)

    assert len(held.started) == 2
    statuses = [(row["endpoint_id"] == prompt, row["status"]) for row in await deliveries()]
    assert sorted(statuses) == [(False, "pending")] * 30 + [(True, "delivered")] * 30


async def test_what_cannot_be_put_back_is_left_to_the_end_of_its_lease_and_costs_no_slot(
    bulkheads: Bulkheads,
    held: Held,
    take: Take,
    due: Due,
    register: Register,
    receiver: Receiver,
    admin: Connection,
) -> None:
    await register(receiver, concurrency=1)
    done: list[Delivery] = []
    leased = await take(due(), due())
    await admin.execute("REVOKE UPDATE ON delivery.deliveries FROM carillon_webhook_worker")

    assert await bulkheads.admit(leased, done.append) == 1

    assert done == [delivery for delivery in leased if delivery not in held.started]
