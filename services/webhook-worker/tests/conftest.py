"""A webhook worker's parts, wired as it wires them, and its tables as the superuser sees them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from domain.events import Event
from domain.retry import Decision
from messaging.consume import Received
from messaging.envelope import read
from messaging.slots import Slots
from messaging.topology import Topology
from msgspec import Struct
from runtime.database import Connection, Pool
from runtime.merge import Merge
from runtime.public_address import read_networks
from testkit import build
from testkit.fresh_database import FreshDatabase
from testkit.receiver import Receiver
from webhook_worker.deliver import Deliverer
from webhook_worker.delivery import Attempt, Delivery
from webhook_worker.endpoint import Endpoint, default_endpoint
from webhook_worker.on_occurrence_due import accept, on_occurrence_due
from webhook_worker.open_transport import open_transport
from webhook_worker.post_webhook import post_webhook
from webhook_worker.record_attempts import record_attempts
from webhook_worker.retry_due import lease_due

NO_OFFSET = timedelta(0)
LEASE = timedelta(seconds=45)
WITHIN = timedelta(seconds=1)
LOOPBACK = read_networks("127.0.0.0/8")

Take = Callable[..., Coroutine[Any, Any, list[Delivery]]]
Post = Callable[[Delivery], Coroutine[Any, Any, Attempt]]
Record = Callable[..., Coroutine[Any, Any, list[Decision]]]
Work = Callable[..., Coroutine[Any, Any, None]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]
Told = Callable[[], Coroutine[Any, Any, list[tuple[UUID, Event]]]]


@pytest.fixture
def statements() -> list[str]:
    """Collect every statement that the pool sends."""
    return []


@pytest_asyncio.fixture
async def pool(database: FreshDatabase, statements: list[str]) -> AsyncIterator[Pool]:
    async def listen(connection: Connection) -> None:
        connection.add_query_logger(lambda logged: statements.append(logged.query))

    opened = await asyncpg.create_pool(database.url("carillon_webhook_worker"), min_size=1, init=listen)
    yield opened
    opened.terminate()


@pytest.fixture
def endpoint(receiver: Receiver) -> Endpoint:
    return default_endpoint(receiver.url, receiver.secret)


@pytest_asyncio.fixture
async def post(endpoint: Endpoint) -> AsyncIterator[Post]:
    """POST a delivery to the test's receiver."""
    async with open_transport(opened=LOOPBACK, connect_timeout=WITHIN, timeout=WITHIN) as transport:
        yield partial(post_webhook, transport, endpoint, within=WITHIN)


@pytest.fixture
def take(pool: Pool, topology: Topology, endpoint: Endpoint) -> Take:
    """Accept a batch of events."""

    async def take_all(*batch: Received) -> list[Delivery]:
        return await accept(pool, topology, endpoint, NO_OFFSET, LEASE, batch)

    return take_all


@pytest.fixture
def record(pool: Pool, topology: Topology) -> Record:
    """Record a batch of attempts."""

    async def record_all(*attempts: Attempt) -> list[Decision]:
        return await record_attempts(pool, topology, NO_OFFSET, attempts)

    return record_all


@pytest.fixture
def due() -> Callable[..., Received]:
    """Build the message of a birthday that fell due."""

    def build_due(event_id: UUID | None = None, **overrides: object) -> Received:
        return Received(event_id=event_id or uuid4(), event=build.birthday_due(**overrides), receipt="")

    return build_due


class Worker(Struct, kw_only=True):
    """What `work` and `retry` run on; `slots` are all free again when nothing is under way."""

    deliverer: Deliverer
    slots: Slots


@pytest.fixture
def worker(post: Post, record: Record) -> Worker:
    merged: Merge[Attempt, Decision] = Merge(lambda attempts: record(*attempts))
    return Worker(deliverer=Deliverer(post, merged.put), slots=Slots(100))


@pytest.fixture
def work(worker: Worker, take: Take) -> Work:
    """Handle a batch of messages until each attempt is recorded."""

    async def handle(*batch: Received) -> None:
        await worker.slots.reserve(len(batch))
        await on_occurrence_due(lambda some: take(*some), worker.deliverer.start, worker.slots, batch)
        await worker.deliverer.finish(within=10)

    return handle


@pytest.fixture
def retry(worker: Worker, pool: Pool, admin: Connection) -> Callable[[], Awaitable[int]]:
    """Let every open delivery be due, make those attempts, and return how many they were."""

    async def retry_now() -> int:
        await admin.execute("UPDATE delivery.deliveries SET next_attempt_at = now() WHERE status = 'pending'")
        deliveries = await lease_due(pool, most=100, lease=LEASE)
        await worker.slots.reserve(len(deliveries) or 1)
        for delivery in deliveries:
            worker.deliverer.start(delivery, worker.slots.release)
        worker.slots.release(0 if deliveries else 1)
        await worker.deliverer.finish(within=10)
        return len(deliveries)

    return retry_now


@pytest.fixture
def deliveries(admin: Connection) -> Rows:
    """Read the deliveries, in the order they were accepted."""
    return lambda: admin.fetch("SELECT * FROM delivery.deliveries ORDER BY id")


@pytest.fixture
def attempts(admin: Connection) -> Rows:
    """Read the attempts, in order."""
    return lambda: admin.fetch("SELECT * FROM delivery.attempts ORDER BY at, attempt")


@pytest.fixture
def told(admin: Connection) -> Told:
    """Read what was told, in order: the ids and events in the outbox."""

    async def read_outbox() -> list[tuple[UUID, Event]]:
        return [
            read(row["body"]) for row in await admin.fetch("SELECT body FROM outbox.messages ORDER BY id")
        ]

    return read_outbox
