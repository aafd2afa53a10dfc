"""A webhook worker's parts, wired as it wires them, and its tables as the superuser sees them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest
import pytest_asyncio
from domain.breaker import OPEN_SECONDS
from domain.events import Event
from domain.retry import Decision
from messaging.consume import Received
from messaging.envelope import read
from messaging.slots import Slots
from messaging.topology import Topology
from msgspec import Struct
from runtime.database import Connection, Pool
from runtime.encrypt import Keys, headers_of, new_key, read_keys, secret_of
from runtime.merge import Merge
from runtime.public_address import read_networks
from testkit import build
from testkit.fresh_database import FreshDatabase
from testkit.receiver import Receiver, new_secret
from webhook_worker.breakers import Breakers
from webhook_worker.bulkheads import Bulkheads
from webhook_worker.deliver import Deliverer
from webhook_worker.delivery import Attempt, Delivery
from webhook_worker.endpoint import DEFAULT_ENDPOINT_ID, Endpoint, default_endpoint
from webhook_worker.endpoints import Endpoints
from webhook_worker.on_occurrence_due import accept, on_occurrence_due
from webhook_worker.open_transport import open_transport
from webhook_worker.post_webhook import post_webhook
from webhook_worker.record_attempts import record_attempts
from webhook_worker.retry_due import lease_due, retry_due

NO_OFFSET = timedelta(0)
LEASE = timedelta(seconds=45)
WITHIN = timedelta(seconds=1)
LOOPBACK = read_networks("127.0.0.0/8")
KEY = new_key("test")
KEYS = read_keys(KEY)

Take = Callable[..., Coroutine[Any, Any, list[Delivery]]]
Post = Callable[[Endpoint, Delivery], Coroutine[Any, Any, Attempt]]
Record = Callable[..., Coroutine[Any, Any, list[Decision]]]
Work = Callable[..., Coroutine[Any, Any, None]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]
Told = Callable[[], Coroutine[Any, Any, list[tuple[UUID, Event]]]]
Register = Callable[..., Coroutine[Any, Any, UUID]]


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
    return default_endpoint(receiver.url, receiver.secret, timeout=WITHIN)


@pytest.fixture
def encryption_keys() -> str:
    """Give what endpoints are registered with, as ENCRYPTION_KEYS has it."""
    return KEY


@pytest.fixture
def keys() -> Keys:
    return KEYS


@pytest.fixture
def endpoints(pool: Pool, endpoint: Endpoint) -> Endpoints:
    """Know the default endpoint, and what a test registers."""
    return Endpoints(pool, KEYS, endpoint, most_time=WITHIN)


@pytest.fixture
def register(admin: Connection) -> Register:
    """Register an endpoint as the API does."""

    async def create(receiver: Receiver, **overrides: Any) -> UUID:  # noqa: ANN401 (columns)
        endpoint_id = uuid4()
        headers = overrides.get("headers", {})
        await admin.execute(
            "SELECT delivery.create_endpoint($1, $2, $3, NULL, $4, $5, $6, $7, $8, $9, $10)",
            endpoint_id,
            receiver.url,
            overrides.get("event_types"),
            KEYS.encrypt(msgspec.json.encode(headers), about=headers_of(endpoint_id)) if headers else None,
            list(headers),
            encrypted_secret(endpoint_id, receiver.secret),
            overrides.get("rate_limit"),
            overrides.get("concurrency", 10),
            overrides.get("timeout_seconds", 30),
            overrides.get("enabled", True),
        )
        return endpoint_id

    return create


@pytest.fixture
def rotate(admin: Connection) -> Callable[[UUID, str], Awaitable[None]]:
    """Give an endpoint another secret, as the API does."""

    async def rotate_secret(endpoint_id: UUID, secret: str) -> None:
        encrypted = encrypted_secret(endpoint_id, secret)
        await admin.execute(
            "SELECT delivery.rotate_endpoint_secret($1, $2, interval '24 hours')", endpoint_id, encrypted
        )

    return rotate_secret


@pytest_asyncio.fixture
async def other() -> AsyncIterator[Receiver]:
    """Listen for another partner's webhooks, signed with another secret."""
    async with Receiver(secret=new_secret()) as listening:
        yield listening


def encrypted_secret(endpoint_id: UUID, secret: str) -> bytes:
    return KEYS.encrypt(secret.encode(), about=secret_of(endpoint_id))


@pytest_asyncio.fixture
async def post() -> AsyncIterator[Post]:
    """POST a delivery to its endpoint."""
    async with open_transport(opened=LOOPBACK, connect_timeout=WITHIN, timeout=WITHIN) as transport:
        yield partial(post_webhook, transport)


@pytest.fixture
def take(pool: Pool, topology: Topology) -> Take:
    """Accept a batch of events."""

    async def take_all(*batch: Received) -> list[Delivery]:
        return await accept(pool, topology, lambda: DEFAULT_ENDPOINT_ID, NO_OFFSET, LEASE, batch)

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

    breakers: Breakers
    deliverer: Deliverer
    bulkheads: Bulkheads
    slots: Slots


class Clock:
    """A monotonic clock that stands still until a test moves it."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Give the breakers' clock."""
    return Clock()


@pytest.fixture
def breakers(clock: Clock) -> Breakers:
    return Breakers(clock)


@pytest.fixture
def worker(post: Post, record: Record, pool: Pool, endpoints: Endpoints, breakers: Breakers) -> Worker:
    merged: Merge[Attempt, Decision] = Merge(lambda attempts: record(*attempts))
    deliverer = Deliverer(breakers.watch(post), merged.put)
    bulkheads = Bulkheads(pool, endpoints, breakers, deliverer.start)
    return Worker(breakers=breakers, deliverer=deliverer, bulkheads=bulkheads, slots=Slots(100))


@pytest.fixture
def work(worker: Worker, take: Take) -> Work:
    """Handle a batch of messages until each attempt is recorded."""

    async def handle(*batch: Received) -> None:
        await worker.slots.reserve(len(batch))
        await on_occurrence_due(lambda some: take(*some), worker.bulkheads.admit, worker.slots, batch)
        await worker.deliverer.finish(within=10)

    return handle


@pytest.fixture
def retry(
    worker: Worker, pool: Pool, endpoints: Endpoints, admin: Connection, clock: Clock
) -> Callable[[], Awaitable[int]]:
    """Let open breakers probe and what is open be due, make those attempts, return how many they were."""

    async def retry_now() -> int:
        clock.now += OPEN_SECONDS
        await admin.execute("UPDATE delivery.deliveries SET next_attempt_at = now() WHERE status = 'pending'")
        await endpoints.refresh()
        deliveries = await lease_due(pool, worker.bulkheads.room(), most=100, lease=LEASE)
        started = await worker.bulkheads.admit(deliveries, lambda _: None)
        await worker.deliverer.finish(within=10)
        return started

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


Receive = Callable[..., Coroutine[Any, Any, None]]


@pytest.fixture
def receive(take: Take, due: Callable[..., Received]) -> Receive:
    """Receive so many due events at once, each for a slot that is taken here first."""

    async def receive_some(bulkheads: Bulkheads, slots: Slots, count: int) -> None:
        assert await slots.reserve(count) == count
        await on_occurrence_due(
            lambda batch: take(*batch), bulkheads.admit, slots, [due() for _ in range(count)]
        )

    return receive_some


Retrying = Callable[..., AbstractAsyncContextManager[None]]


@pytest.fixture
def retrying(pool: Pool, worker: Worker) -> Retrying:
    """Retry what is due meanwhile; at the end, wait for the attempts under way."""

    @asynccontextmanager
    async def keep_retrying(bulkheads: Bulkheads, slots: Slots) -> AsyncIterator[None]:
        stop = asyncio.Event()
        loop = asyncio.create_task(retry_due(pool, bulkheads, slots, stop, lease=LEASE))
        yield
        stop.set()
        await loop
        await worker.deliverer.finish(within=5)

    return keep_retrying
