"""A running user API on a database of the test's own, asked over HTTP; and what it stored and emitted."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from domain.events import Event
from messaging.envelope import read
from msgspec import Struct
from runtime.encrypt import Keys, headers_of, new_key, read_keys, secret_of
from runtime.settings import load_settings
from testkit.fresh_database import FreshDatabase
from testkit.ports import free_port
from testkit.repository import find_topology
from testkit.wait import eventually
from user_api.app import serve
from user_api.settings import Settings


class KeptSecrets(Struct):
    """What an endpoint keeps secret, decrypted, and the bytes that are in the database."""

    secret: str | None
    previous_secret: str | None
    headers: dict[str, str]
    as_stored: list[bytes]


KEY = new_key("test")
Environment = Callable[..., dict[str, str]]
Running = Callable[[dict[str, str]], AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def environment(pytestconfig: pytest.Config) -> Environment:
    """Make the environment of a service on a database and a port of its own."""

    def make(database_url: str, **overrides: str) -> dict[str, str]:
        return {
            "CARILLON_ENV": "local",
            "AUTH": "off",
            "ENCRYPTION_KEYS": KEY,
            "DATABASE_URL": database_url,
            "TOPOLOGY_FILE": str(find_topology(pytestconfig.rootpath)),
            "API_PORT": str(free_port()),
            **overrides,
        }

    return make


@pytest.fixture
def running() -> Running:
    """Run the service in this process with an environment; the session asks it."""

    @asynccontextmanager
    async def run(environment: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
        stop = asyncio.Event()
        service = asyncio.create_task(serve(load_settings(Settings, environment), stop))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{environment['API_PORT']}") as session:

            async def live() -> bool:
                if service.done():
                    await service
                try:
                    return (await session.get("/health/live")).status_code == 200
                except httpx.ConnectError:
                    return False

            await eventually(live, message="the service is not live")
            yield session
        stop.set()
        await service

    return run


@pytest_asyncio.fixture
async def api(
    database: FreshDatabase, environment: Environment, running: Running
) -> AsyncIterator[httpx.AsyncClient]:
    """A running service."""
    async with running(environment(database.url("carillon_user_api"))) as session:
        yield session


@pytest_asyncio.fixture
async def emitted(database: FreshDatabase) -> Callable[[], Awaitable[list[Event]]]:
    """Read what is in the outbox, in order."""
    admin = await database.connect()

    async def events() -> list[Event]:
        return [
            read(row["body"])[1] for row in await admin.fetch("SELECT body FROM outbox.messages ORDER BY id")
        ]

    return events


@pytest.fixture
def keys() -> Keys:
    """What the service and the webhook worker encrypt and decrypt with."""
    return read_keys(KEY)


@pytest_asyncio.fixture
async def kept_of(database: FreshDatabase, keys: Keys) -> Callable[[str], Awaitable[KeptSecrets]]:
    """Read the secrets of the endpoint at a location as the webhook worker does."""
    worker = await database.connect("carillon_webhook_worker")

    async def kept(location: str) -> KeptSecrets:
        id_ = UUID(location.rpartition("/")[2])
        row = await worker.fetchrow("SELECT * FROM delivery.endpoints WHERE id = $1", id_)
        assert row is not None

        def decrypted(column: str, about: bytes) -> str | None:
            return row[column] and keys.decrypt(row[column], about=about).decode()

        return KeptSecrets(
            secret=decrypted("secret", secret_of(id_)),
            previous_secret=decrypted("previous_secret", secret_of(id_)),
            headers=json.loads(decrypted("headers", headers_of(id_)) or "{}"),
            as_stored=[bytes(row[one]) for one in ("secret", "previous_secret", "headers") if row[one]],
        )

    return kept


@pytest_asyncio.fixture
async def stored(database: FreshDatabase) -> Callable[[], Awaitable[tuple[int, int]]]:
    """Count the users stored and the messages in the outbox."""
    admin = await database.connect()

    async def counts() -> tuple[int, int]:
        users = await admin.fetchval("SELECT count(*) FROM users.users")
        return users, await admin.fetchval("SELECT count(*) FROM outbox.messages")

    return counts
