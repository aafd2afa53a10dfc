"""What benches run on: a PostgreSQL and an SNS/SQS engine of their own, gone when the bench ends."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, redirect_stdout
from pathlib import Path

from carillon_local.surroundings import broker, inherited
from messaging.topology import Topology, load_topology
from msgspec import structs
from runtime import database
from runtime.database import Pool
from runtime.logs import configure_logs
from runtime.migrate import migrate
from runtime.settings import ServiceSettings
from runtime.statements import Statements
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.engine import Engine
from testkit.repository import find_topology

SQL = Statements("bench")
TOPOLOGY_FILE = find_topology(Path(__file__).parent)
TEMPLATE = "carillon"
ENVIRONMENT = "bench"


def without_news() -> Topology:
    """Return the topology with OccurrenceScheduled switched off: a row and a message for each that rings."""
    topology = load_topology(TOPOLOGY_FILE)
    off = structs.replace(topology.event_types["OccurrenceScheduled"], published=False)
    return structs.replace(topology, event_types={**topology.event_types, "OccurrenceScheduled": off})


@asynccontextmanager
async def scratch_postgres(**settings: str) -> AsyncIterator[EmbeddedPostgres]:
    """Give a PostgreSQL as `make up` has it, but for `settings`; with a migrated database `carillon`."""
    with tempfile.TemporaryDirectory(prefix="carillon-bench-") as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres", settings=settings)
        try:
            server.start()
            server.create_database(TEMPLATE)
            await migrate(server.url(database=TEMPLATE))
            yield server
        finally:
            server.remove()


@contextmanager
def scratch_engine() -> Iterator[Engine]:
    """Give an SNS/SQS engine; the environment leads this process's AWS clients to it, past any proxy."""
    with tempfile.TemporaryDirectory(prefix="carillon-bench-") as folder:
        engine = Engine(Path(folder))
        before = dict(os.environ)
        try:
            engine.start()
            os.environ.update({**inherited(), **broker(engine)})
            yield engine
        finally:
            engine.stop()
            os.environ.clear()
            os.environ.update(before)


@asynccontextmanager
async def open_pool(url: str, *, on_statement: Callable[[], None] | None = None) -> AsyncIterator[Pool]:
    """Open a pool exactly as the services do.

    `on_statement` is called for every statement on its first connection, the only one that is used where one
    thing is done after the other.
    """
    settings = ServiceSettings(carillon_env=ENVIRONMENT, database_url=url, topology_file=str(TOPOLOGY_FILE))
    async with database.open_pool("bench", settings, asyncio.Event()) as pool:
        if on_statement is not None:
            async with pool.acquire() as connection:
                connection.add_query_logger(lambda _: on_statement())
        yield pool


def log_into_nothing() -> None:
    """Write log lines as the services do, in JSON from `info` on, but into the null device: they cost too."""
    with redirect_stdout(Path(os.devnull).open("w", encoding="utf-8")):
        configure_logs("bench", form="json", level="info")
