import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import pytest
from msgspec import structs
from runtime.database import NotMigratedError, Pool, is_passing, open_pool, ping
from runtime.migrate import migrate
from runtime.migrations import newest_migration
from runtime.settings import ServiceSettings
from runtime.stopping import Stop, run_loops
from runtime.waiting import StartFailedError
from structlog.testing import capture_logs
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.fresh_database import FreshDatabase
from testkit.wait import eventually


def settings(url: str, **overrides: Any) -> ServiceSettings:  # noqa: ANN401 (the Struct's own field types)
    default = ServiceSettings(carillon_env="test", database_url=url, topology_file="")
    return structs.replace(default, **overrides)


async def test_it_waits_for_a_database_that_is_not_migrated_yet(
    postgres_server: EmbeddedPostgres, database_template: str, empty_database: str
) -> None:
    assert database_template  # its migration made the roles
    url = postgres_server.url("carillon_scheduler", empty_database)

    async def first_answer() -> object:
        async with open_pool("test", settings(url), asyncio.Event()) as pool:
            return await pool.fetchval("SELECT count(*) FROM schedule.users")

    with capture_logs() as logs:
        asked = asyncio.create_task(first_answer())
        await eventually(lambda: logs)
        assert not asked.done()
        await migrate(postgres_server.url(database=empty_database))

    assert await asked == 0
    assert [(said["event"], said["reason"]) for said in logs if said["log_level"] == "info"] == [
        (
            "start.waiting",
            f"NotMigratedError: it is migrated to nothing, this release needs {newest_migration()}",
        )
    ]


async def test_an_older_database_is_refused_at_the_deadline(database: FreshDatabase) -> None:
    admin = await database.connect()
    await admin.execute("DELETE FROM public.schema_migrations WHERE version = $1", newest_migration())
    older = await admin.fetchval("SELECT max(version) FROM public.schema_migrations")
    waiting = settings(database.url("carillon_scheduler"), start_timeout_seconds=0.1)

    with pytest.raises(StartFailedError) as refused:
        async with open_pool("test", waiting, asyncio.Event()):
            pass

    assert str(refused.value).split("within 0.1 s: ")[1] == (
        f"{NotMigratedError.__name__}: it is migrated to {older}, this release needs {newest_migration()}"
    )


async def test_a_newer_database_is_taken(database: FreshDatabase) -> None:
    admin = await database.connect()
    await admin.execute("INSERT INTO public.schema_migrations VALUES ('9999', 'from_the_future')")

    async with open_pool("test", settings(database.url("carillon_scheduler")), asyncio.Event()) as pool:
        await ping(pool)


async def test_the_database_shows_which_service_a_connection_belongs_to(database: FreshDatabase) -> None:
    async with open_pool("test", settings(database.url("carillon_scheduler")), asyncio.Event()) as pool:
        assert await pool.fetchval("SHOW application_name") == "carillon-test"


async def test_no_plan_is_kept_from_when_a_table_was_empty(database: FreshDatabase) -> None:
    async with open_pool("test", settings(database.url("carillon_scheduler")), asyncio.Event()) as pool:
        assert await pool.fetchval("SHOW plan_cache_mode") == "force_custom_plan"
        assert await pool.fetchval("SHOW random_page_cost") == "0.1"


async def test_behind_pgbouncer_nothing_is_asked_for_that_it_refuses(database: FreshDatabase) -> None:
    pooled = settings(database.url("carillon_scheduler"), database_statement_cache=0)
    async with open_pool("test", pooled, asyncio.Event()) as pool:
        assert await pool.fetchval("SHOW plan_cache_mode") == "auto"
        assert await pool.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''") == 0


async def test_a_ping_does_not_wait_for_a_pool_that_is_used_up(database: FreshDatabase) -> None:
    small = settings(database.url("carillon_scheduler"), database_pool_size=1)
    async with open_pool("test", small, asyncio.Event()) as pool, pool.acquire():
        with pytest.raises(TimeoutError, match="no answer within 2 s"):
            await ping(pool)


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (ConnectionRefusedError(), True),
        (TimeoutError(), True),
        (asyncpg.InterfaceError("connection is closed"), True),
        (asyncpg.InternalClientError("cannot switch to state 11"), True),
        (asyncpg.ConnectionDoesNotExistError(), True),
        (asyncpg.CannotConnectNowError(), True),
        (asyncpg.AdminShutdownError(), True),
        (asyncpg.TooManyConnectionsError(), True),
        (asyncpg.DeadlockDetectedError(), True),
        (asyncpg.SerializationError(), True),
        (asyncpg.LockNotAvailableError(), True),
        (asyncpg.DiskFullError(), True),
        (asyncpg.ReadOnlySQLTransactionError(), True),
        (asyncpg.InvalidPasswordError(), True),
        (asyncpg.DataError(), False),
        (asyncpg.CheckViolationError(), False),
        (asyncpg.UniqueViolationError(), False),
        (asyncpg.CharacterNotInRepertoireError(), False),
        (asyncpg.InFailedSQLTransactionError(), False),
        (ValueError(), False),
        (KeyError(), False),
    ],
)
def test_what_waiting_can_help_is_told_from_what_it_cannot(error: Exception, passing: bool) -> None:  # noqa: FBT001 (a column of the table above)
    assert is_passing(error) is passing


async def test_a_number_too_large_for_its_column_is_the_messages_own_fault(database: FreshDatabase) -> None:
    connection = await database.connect()

    with pytest.raises(asyncpg.DataError) as refused:
        await connection.fetchval("SELECT $1::integer", 2**31)

    assert is_passing(refused.value) is False


async def test_a_connection_that_the_server_ended_is_waited_out(database: FreshDatabase) -> None:
    async with open_pool("test", settings(database.url("carillon_scheduler")), asyncio.Event()) as pool:
        admin = await database.connect()
        async with pool.acquire() as connection:
            await admin.execute(
                "SELECT pg_terminate_backend($1)", await connection.fetchval("SELECT pg_backend_pid()")
            )
            with pytest.raises(Exception) as lost:  # noqa: PT011 (which one depends on the moment)
                await connection.fetchval("SELECT 1")

        assert is_passing(lost.value) is True
        await ping(pool)


@asynccontextmanager
async def frozen(pool: Pool) -> AsyncIterator[None]:
    """Stop the server's process behind the pool's one connection: it is there and answers nothing."""
    pid = await pool.fetchval("SELECT pg_backend_pid()")
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_a_database_that_hangs_does_not_keep_a_service_from_ending(database: FreshDatabase) -> None:
    stop = asyncio.Event()
    small = settings(database.url("carillon_scheduler"), database_pool_size=1)

    async def ask(_: Stop) -> None:
        asyncio.get_running_loop().call_later(0.05, stop.set)
        await pool.fetchval("SELECT 1")

    async with AsyncExitStack() as hanging:
        async with open_pool("test", small, stop) as pool:
            await hanging.enter_async_context(frozen(pool))
            told = time.monotonic()
            with capture_logs() as logs:
                await run_loops({"ask": ask}, stop, drain_within=0.1)

        assert [said["event"] for said in logs] == ["loop.cut_off"]
        assert time.monotonic() - told < 30  # and not the 60 s a command may take
