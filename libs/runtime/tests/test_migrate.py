import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from runtime.migrate import DatabaseIsNewerError, apply_migration, migrate
from runtime.migrations import MARK, Migration, load_migrations
from testkit.embedded_postgres import EmbeddedPostgres

ALL = [migration.version for migration in load_migrations()]


@pytest.fixture(scope="module")
def new_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """Start a PostgreSQL that has not seen our roles."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres") / "new", durable=False)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def content(url: str) -> list[str]:
    """List what a database holds, and which migrations it says were applied."""
    async with connected(url) as connection:
        things = await connection.fetch(
            """
            SELECT concat_ws(' ', relkind, relnamespace::regnamespace, relname) AS thing FROM pg_class
            UNION ALL SELECT concat_ws(' ', 'schema', nspname, nspacl) FROM pg_namespace
            UNION ALL SELECT concat_ws(' ', 'function', oid::regprocedure) FROM pg_proc
            ORDER BY 1
            """
        )
        has_table = await connection.fetchval("SELECT to_regclass('public.schema_migrations') IS NOT NULL")
        applied = await connection.fetch("TABLE public.schema_migrations") if has_table else []
    return [row["thing"] for row in things] + [str(tuple(row)) for row in applied]


async def test_all_is_applied_once_and_in_order(
    postgres_server: EmbeddedPostgres, empty_database: str
) -> None:
    url = postgres_server.url(database=empty_database)

    assert await migrate(url) == ALL
    migrated = await content(url)
    assert await migrate(url) == []
    assert await content(url) == migrated


async def test_any_number_may_start_at_once_in_a_cluster_that_has_no_roles_yet(
    new_server: EmbeddedPostgres,
) -> None:
    names = [f"concurrent_{secrets.token_hex(4)}" for _ in range(4)]
    for name in names:
        new_server.create_database(name)

    applied = await asyncio.gather(*(migrate(new_server.url(database=name)) for name in names * 3))

    for place, name in enumerate(names):
        assert sorted(applied[place::4]) == [[], [], ALL], name


async def test_a_newer_database_is_refused_and_left_as_it_is(
    postgres_server: EmbeddedPostgres, empty_database: str
) -> None:
    url = postgres_server.url(database=empty_database)
    await migrate(url)
    async with connected(url) as connection:
        await connection.execute("DELETE FROM public.schema_migrations WHERE version = $1", ALL[-1])
        await connection.execute("INSERT INTO public.schema_migrations VALUES ('9999', 'from_the_future')")
    before = await content(url)

    with pytest.raises(DatabaseIsNewerError) as refused:
        await migrate(url)

    assert str(refused.value) == (
        f"the database is newer than this release: it has migrations 9999, this release ends at {ALL[-1]}; "
        "deploy the release that made them"
    )
    assert await content(url) == before


async def test_a_migration_that_fails_half_way_leaves_nothing_behind(
    postgres_server: EmbeddedPostgres, empty_database: str
) -> None:
    url = postgres_server.url(database=empty_database)
    await migrate(url)
    before = await content(url)

    bad = Migration("9000", "bad", "CREATE SCHEMA half; CREATE TABLE half.done (); SELECT 1 / 0;")
    async with connected(url) as connection:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await apply_migration(connection, bad)

    assert await content(url) == before


async def test_after_a_migration_failed_the_next_run_goes_on_where_it_ended(
    postgres_server: EmbeddedPostgres, empty_database: str
) -> None:
    url = postgres_server.url(database=empty_database)
    async with connected(url) as connection:
        await connection.execute("CREATE SCHEMA delivery")  # in the way of the first migration

        with pytest.raises(asyncpg.DuplicateSchemaError):
            await migrate(url)
        assert await connection.fetchval("SELECT to_regnamespace('users')") is None
        assert await connection.fetch("TABLE public.schema_migrations") == []

        await connection.execute("DROP SCHEMA delivery")
        assert await migrate(url) == ALL


async def test_a_migration_does_not_wait_long_for_a_lock_with_everybody_queueing_behind_it(
    postgres_server: EmbeddedPostgres, empty_database: str
) -> None:
    url = postgres_server.url(database=empty_database)
    await migrate(url)

    limits_now = "current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement"
    async with connected(url) as connection:
        await apply_migration(
            connection, Migration("9000", "limits", f"CREATE TABLE limits AS SELECT {limits_now}")
        )
        limits = await connection.fetchrow("TABLE limits")
        after = await connection.fetchval("SHOW lock_timeout")

    assert limits is not None
    assert (*limits, after) == ("5s", "5min", "0")


def test_no_two_migrations_have_one_number_and_all_have_the_format_of_dbmate() -> None:
    folder = Path(load_migrations.__code__.co_filename).parent
    files = sorted(folder.glob("*.sql"))

    numbers = [file.name[:4] for file in files]
    assert all(number.isdigit() for number in numbers)
    assert len(set(numbers)) == len(numbers)
    assert [file.name for file in files if file.read_text().count(MARK) != 1] == []
