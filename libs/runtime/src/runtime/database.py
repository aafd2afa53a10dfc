"""PostgreSQL: one pool a service, opened once the database answers and is migrated far enough."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from runtime.migrations import newest_migration
from runtime.settings import ServiceSettings
from runtime.statements import Statements
from runtime.stopping import Stop
from runtime.waiting import wait_for

Pool = asyncpg.Pool
Connection = asyncpg.Connection | PoolConnectionProxy

SQL = Statements("runtime")


class NotMigratedError(Exception):
    """The database is older than this release."""


@asynccontextmanager
async def open_pool(service: str, settings: ServiceSettings, stop: Stop) -> AsyncIterator[Pool]:
    """Open the service's pool; wait `start_timeout_seconds` for PostgreSQL and for its migrations.

    A newer database is fine: migrations are safe beside the old version (expand, then contract).
    """
    url = urlsplit(settings.database_url)
    where = f"PostgreSQL at {url.hostname}:{url.port or 5432}{url.path}"

    async def connect() -> Pool:
        pool = asyncpg.create_pool(
            settings.database_url,
            min_size=1,
            max_size=settings.database_pool_size,
            statement_cache_size=settings.database_statement_cache,
            command_timeout=60,
            timeout=5,
            server_settings={"application_name": f"carillon-{service}"},
        )
        try:
            await pool
            await require_migrations(pool)
        except BaseException:
            pool.terminate()
            raise
        return pool

    pool = await wait_for(where, connect, stop, within=settings.start_timeout_seconds)
    try:
        yield pool
    finally:
        await pool.close()


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
    """Raise if the database does not answer within two seconds."""
    await pool.fetchval(SQL["ping"], timeout=2)


# Classes of SQLSTATE that say "not now": connection, rolled back, resources, not in state, operator, system.
PASSING_CLASSES = ("08", "40", "53", "55", "57", "58")


def is_passing(error: BaseException) -> bool:
    """Tell whether trying again later can help: the database is away, busy, or rolled the work back."""
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "").startswith(PASSING_CLASSES)
    return isinstance(error, OSError | TimeoutError | asyncpg.InterfaceError)
