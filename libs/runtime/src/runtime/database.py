"""PostgreSQL: one pool a service, opened once the database answers and is migrated far enough."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from runtime.metric_names import CONNECTIONS, CONNECTIONS_MAX
from runtime.metrics import gauge
from runtime.migrations import newest_migration
from runtime.settings import ServiceSettings
from runtime.statements import Statements
from runtime.stopping import Stop
from runtime.waiting import wait_for

Pool = asyncpg.Pool
Connection = asyncpg.Connection | PoolConnectionProxy

SQL = Statements("runtime")

PING_SECONDS = 2
CLOSE_SECONDS = 1


class NotMigratedError(Exception):
    """The database is older than this release."""


@asynccontextmanager
async def open_pool(
    service: str, settings: ServiceSettings, stop: Stop, *, plan_anew: bool = True
) -> AsyncIterator[Pool]:
    """Open the service's pool; wait `start_timeout_seconds` for PostgreSQL and for its migrations.

    `plan_anew` plans a statement each time it is executed, as one over a queue's table needs.
    A newer database is fine: migrations are safe beside the old version (expand, then contract).
    """
    url = urlsplit(settings.database_url)
    where = f"PostgreSQL at {url.netloc.rpartition('@')[2]}{url.path}"

    async def connect() -> Pool:
        pool = make_pool(service, settings.database_url, settings, min_size=1, plan_anew=plan_anew)
        try:
            await pool
            await require_migrations(pool)
        except BaseException:
            pool.terminate()
            raise
        return pool

    pool = await wait_for(where, connect, stop, within=settings.start_timeout_seconds)
    measure(pool)
    try:
        yield pool
    finally:
        await close(pool)


def make_pool(
    service: str,
    url: str,
    settings: ServiceSettings,
    *,
    min_size: int,
    plan_anew: bool = True,
    connection_class: type[asyncpg.Connection] = asyncpg.Connection,
) -> Pool:
    """Make a pool as a service's settings have it; awaiting it opens `min_size` connections."""
    server_settings = {"application_name": f"carillon-{service}"}
    if plan_anew and settings.database_statement_cache:
        # A plan made while a queue's table was empty reads all of it for each row once it is full: 35 s a
        # lease at 200,000 messages instead of 0.03 s. Planning anew costs a statement less than 1 ms.
        server_settings["plan_cache_mode"] = "force_custom_plan"
        # What a queue touches is in memory: a page, the next one or not, costs as much as ten rows looked at.
        # By default 200 deliveries were settled by reading a table of 20,000: 11 ms instead of 0.5 ms
        # (ADR 0052).
        server_settings["seq_page_cost"] = server_settings["random_page_cost"] = "0.1"
    return asyncpg.create_pool(
        url,
        min_size=min_size,
        max_size=settings.database_pool_size,
        statement_cache_size=settings.database_statement_cache,
        command_timeout=60,
        timeout=5,
        server_settings=server_settings,
        reset=keep_session,
        connection_class=connection_class,
    )


def measure(pool: Pool) -> None:
    """Have the metrics tell how much of the pool is used, whenever they are read."""
    gauge(CONNECTIONS).labels("idle").set_function(pool.get_idle_size)
    gauge(CONNECTIONS).labels("used").set_function(lambda: pool.get_size() - pool.get_idle_size())
    gauge(CONNECTIONS_MAX).set(pool.get_max_size())


async def close(pool: Pool) -> None:
    """Close the pool's connections; cut them off if a database that hangs does not let them go in 1 s."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await pool.close()
    except TimeoutError:
        pool.terminate()


async def keep_session(_: Connection) -> None:
    """Leave a returned connection as it is: no service changes its session, and a reset is a round trip."""


async def require_migrations(pool: Pool) -> None:
    """Raise NotMigratedError unless the database has at least this release's newest migration."""
    needed = newest_migration()
    try:
        applied = await pool.fetchval(SQL["newest_applied_migration"])
    except asyncpg.UndefinedTableError:
        applied = None
    if applied is None or applied < needed:
        raise NotMigratedError(f"it is migrated to {applied or 'nothing'}, this release needs {needed}")


async def ping(pool: Pool) -> None:
    """Raise TimeoutError if the database, or the pool, does not answer within two seconds."""
    try:
        async with asyncio.timeout(PING_SECONDS):
            await pool.fetchval(SQL["ping"])
    except TimeoutError:
        raise TimeoutError(f"no answer within {PING_SECONDS} s") from None


# What says "not now" by its SQLSTATE's beginning: connection, read-only (a primary no more) and transaction
# timeouts, login (a password being changed), rolled back, resources, not in state, operator, system.
PASSING_CLASSES = ("08", "25006", "25P03", "25P04", "28", "40", "53", "55", "57", "58")


def is_passing(error: BaseException) -> bool:
    """Tell whether trying again later can help: the database is away, busy, or rolled the work back."""
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "").startswith(PASSING_CLASSES)
    # InternalClientError: what asyncpg raises on a connection whose server has just said that it goes.
    return isinstance(error, OSError | asyncpg.InterfaceError | asyncpg.InternalClientError)
