"""An endpoint that mostly fails is left alone, its deliveries kept as they are, until a probe arrives."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import pytest
from messaging.consume import Received
from messaging.slots import Slots
from structlog.testing import capture_logs
from testkit.receiver import Receiver
from webhook_worker.breakers import Breakers
from webhook_worker.bulkheads import Bulkheads
from webhook_worker.deliver import Deliverer

Due = Callable[..., Received]
Register = Callable[..., Coroutine[Any, Any, UUID]]
Retry = Callable[[], Awaitable[int]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]
Work = Callable[..., Coroutine[Any, Any, None]]


class Worker(Protocol):
    bulkheads: Bulkheads
    deliverer: Deliverer
    slots: Slots


@pytest.fixture
async def failing(work: Work, due: Due, register: Register, receiver: Receiver) -> UUID:
    """Give an endpoint whose breaker has just opened, by ten attempts that failed."""
    endpoint_id = await register(receiver, concurrency=100)
    receiver.reply_with([500] * 10)
    with capture_logs() as logs:
        await work(*(due() for _ in range(10)))
    [opened] = [line for line in logs if line["event"] == "breaker.opened"]
    assert (opened["log_level"], opened["endpoint_id"]) == ("warning", str(endpoint_id))
    return endpoint_id


async def test_what_falls_due_while_it_is_open_waits_with_its_attempts_unspent(  # noqa: PLR0913, PLR0917 (fixtures)
    failing: UUID,
    work: Work,
    due: Due,
    worker: Worker,
    register: Register,
    receiver: Receiver,
    other: Receiver,
    deliveries: Rows,
    attempts: Rows,
) -> None:
    sound = await register(other)
    rings = [due() for _ in range(3)]

    await work(*rings)

    assert (receiver.tally.received, other.tally.received) == (10, 3)
    assert len(await attempts()) == 13
    waiting = [row for row in await deliveries() if row["event_id"] in {ring.event_id for ring in rings}]
    assert {(row["endpoint_id"], row["status"], row["attempts"], row["lease_token"]) for row in waiting} == {
        (failing, "pending", 0, None),
        (sound, "delivered", 1, None),
    }
    assert failing not in worker.bulkheads.room()
    assert sound in worker.bulkheads.room()
    assert worker.slots.free == 100


async def test_every_thirty_seconds_one_probe_goes_out_and_the_others_follow_one_that_arrives(
    failing: UUID, retry: Retry, receiver: Receiver, worker: Worker, attempts: Rows, deliveries: Rows
) -> None:
    receiver.reply_with([503])

    assert await retry() == 1
    assert failing not in worker.bulkheads.room()
    with capture_logs() as logs:
        assert await retry() == 1
    assert [line["endpoint_id"] for line in logs if line["event"] == "breaker.closed"] == [str(failing)]
    assert await retry() == 9

    assert len(await attempts()) == 10 + 1 + 1 + 9
    assert {row["status"] for row in await deliveries()} == {"delivered"}


async def test_a_probe_that_was_cut_off_makes_way_for_another(
    failing: UUID, worker: Worker, breakers: Breakers, retry: Retry, receiver: Receiver, deliveries: Rows
) -> None:
    async def cut_off(_: object) -> int:
        await worker.deliverer.finish(within=0)
        return 204

    receiver.reply_with([cut_off])
    assert await retry() == 1
    assert breakers.most_admitted(failing) == 1

    assert await retry() == 1
    assert [row["status"] for row in await deliveries()].count("delivered") == 1
