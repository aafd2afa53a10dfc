import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import asyncpg
import pytest
import pytest_asyncio
from runtime.database import Connection
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.fresh_database import FreshDatabase
from testkit.ports import free_port
from testkit.repository import find_topology

Connect = Callable[[str], Awaitable[Connection]]
SaidByService = Callable[[str], str]
RUN = """
from runtime.service import run_service
from runtime.settings import ServiceSettings

run_service("a-service", ServiceSettings, serve)
"""


@pytest.fixture
def environment(pytestconfig: pytest.Config) -> dict[str, str]:
    """Return all that a worker needs to start, for a database that is not there."""
    return {
        "PATH": os.environ["PATH"],
        "CARILLON_ENV": "local",
        "DATABASE_URL": "postgres://carillon_dispatcher:hidden@127.0.0.1:1/carillon",
        "TOPOLOGY_FILE": str(find_topology(pytestconfig.rootpath)),
        "AWS_REGION": "eu-west-1",
        "AWS_ACCOUNT_ID": "000000000000",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "HEALTH_PORT": str(free_port()),
    }


@pytest.fixture
def said_by_service(environment: dict[str, str]) -> SaidByService:
    """Run the `serve` that a source defines, in a process of its own; return what it printed."""

    def run(source: str) -> str:
        return subprocess.run(  # noqa: S603 (our own words)
            [sys.executable, "-c", source + RUN],
            env={**environment, "LOG_LEVEL": "warning"},
            capture_output=True,
            check=True,
            text=True,
        ).stdout

    return run


@pytest.fixture(scope="module")
def shared_database(postgres_server: EmbeddedPostgres, database_template: str) -> Iterator[FreshDatabase]:
    """Make a migrated database for the many tests of a module that change nothing in it."""
    name = f"shared_{secrets.token_hex(6)}"
    postgres_server.create_database(name, template=database_template)
    yield FreshDatabase(postgres_server, name, template=database_template)
    postgres_server.drop_database(name)


@pytest_asyncio.fixture
async def connect_as(shared_database: FreshDatabase) -> AsyncIterator[Connect]:
    """Open connections to the shared database as any role; closed after the test."""
    async with AsyncExitStack() as opened:

        async def connect(role: str) -> Connection:
            connection: Connection = await asyncpg.connect(shared_database.url(role))
            opened.push_async_callback(connection.close)
            return connection

        yield connect


@pytest.fixture
def empty_database(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """Make a database that nobody has migrated, and give its name."""
    name = f"empty_{secrets.token_hex(6)}"
    postgres_server.create_database(name)
    yield name
    postgres_server.drop_database(name)
