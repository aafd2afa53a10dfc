"""Fixtures: real PostgreSQL, SNS/SQS and HTTP; each test has its own database, queues and receiver."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from messaging.topology import Topology, load_topology
from runtime.database import Connection
from runtime.migrate import migrate

from testkit.broker import Broker, open_broker
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.engine import Engine
from testkit.fresh_database import FreshDatabase
from testkit.ports import free_port
from testkit.receiver import Receiver, new_secret
from testkit.repository import find_topology
from testkit.service_process import StartService, service_processes

TEMPLATE = "carillon_template"


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """Start one PostgreSQL for the session; nothing is flushed to disk."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), durable=False)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def database_template(postgres_server: EmbeddedPostgres) -> str:
    """Migrate, once, the database that tests clone; return its name."""
    postgres_server.create_database(TEMPLATE)
    asyncio.run(migrate(postgres_server.url(database=TEMPLATE)))
    return TEMPLATE


@pytest_asyncio.fixture
async def database(postgres_server: EmbeddedPostgres, database_template: str) -> AsyncIterator[FreshDatabase]:
    """Give this test a migrated database of its own."""
    name = f"test_{secrets.token_hex(6)}"
    async with FreshDatabase(postgres_server, name, template=database_template) as fresh:
        yield fresh


@pytest_asyncio.fixture
async def admin(database: FreshDatabase) -> Connection:
    """Give a connection of the superuser's to this test's database."""
    return await database.connect()


@pytest.fixture
def topology(pytestconfig: pytest.Config) -> Topology:
    """Read the project's topology."""
    return load_topology(find_topology(pytestconfig.rootpath))


@pytest.fixture
def worker_environment(pytestconfig: pytest.Config) -> dict[str, str]:
    """Give the environment of a service whose database does not come; a test overrides what it needs."""
    return {
        "CARILLON_ENV": "test",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "TOPOLOGY_FILE": str(find_topology(pytestconfig.rootpath)),
        "AWS_REGION": "eu-west-1",
        "AWS_ACCOUNT_ID": "000000000000",
        "HEALTH_PORT": str(free_port()),
        "START_TIMEOUT_SECONDS": "1",
    }


@pytest_asyncio.fixture
async def start_service() -> AsyncIterator[StartService]:
    """Start services as processes."""
    async with service_processes() as start:
        yield start


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Start one SNS/SQS engine for the session; the environment leads this process's AWS clients to it."""
    started = Engine(tmp_path_factory.mktemp("engine"))
    try:
        started.start()
        with pytest.MonkeyPatch.context() as environment:
            for name, value in started.environment().items():
                environment.setenv(name, value)
            yield started
    finally:
        started.stop()


@pytest.fixture
def own_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Start an engine that this test may kill."""
    own = Engine(tmp_path / "engine")
    for name, value in own.environment().items():
        monkeypatch.setenv(name, value)
    try:
        own.start()
        yield own
    finally:
        own.stop()


@pytest_asyncio.fixture
async def broker(engine: Engine, pytestconfig: pytest.Config) -> AsyncIterator[Broker]:
    """Give this test topics, queues and subscriptions of its own."""
    topology_file = find_topology(pytestconfig.rootpath)
    async with open_broker(engine, topology_file, f"t{secrets.token_hex(4)}") as opened:
        yield opened


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Listen for this test's webhooks and answer 204."""
    async with Receiver(secret=new_secret()) as listening:
        yield listening
