import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg
import httpx
import pytest
import pytest_asyncio
from runtime.migrate import migrate
from testkit import build
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.fresh_database import FreshDatabase
from testkit.wait import eventually
from user_api.replica import LEFT_ALONE_SECONDS

Environment = Callable[..., dict[str, str]]
Running = Callable[[dict[str, str]], AbstractAsyncContextManager[httpx.AsyncClient]]

TEMPLATE = "with_a_replica"


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path_factory.mktemp("primary"))
    try:
        server.start()
        server.create_database(TEMPLATE)
        asyncio.run(migrate(server.url(database=TEMPLATE)))
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="module")
def replica(
    primary: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path_factory.mktemp("replica"), primary=primary)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest_asyncio.fixture
async def replicated(primary: EmbeddedPostgres, replica: EmbeddedPostgres) -> AsyncIterator[FreshDatabase]:
    """A database of this test's own, there on both; the replica follows again afterwards."""
    async with FreshDatabase(primary, f"test_{secrets.token_hex(6)}", template=TEMPLATE) as fresh:
        await eventually(lambda: reaches(replica.url(database=fresh.name)), message="not on the replica")
        yield fresh
        async with asked(replica.url(database="postgres")) as connection:
            await connection.execute("SELECT pg_wal_replay_resume()")


async def reaches(url: str) -> bool:
    try:
        async with asked(url) as connection:
            return bool(await connection.fetchval("SELECT true"))
    except asyncpg.InvalidCatalogNameError:
        return False


@asynccontextmanager
async def asked(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture
def settings(
    replicated: FreshDatabase, replica: EmbeddedPostgres, environment: Environment
) -> dict[str, str]:
    role = "carillon_user_api"
    return environment(
        replicated.url(role),
        DATABASE_REPLICA_URL=replica.url(role, replicated.name),
        # Long enough that a paused replica is still near enough on a slow machine.
        REPLICA_LAG_SECONDS="60",
    )


async def version_seen(client: httpx.AsyncClient, path: str) -> int:
    answer = await client.get(path)
    return int(answer.json()["version"]) if answer.status_code == 200 else 0


async def test_a_client_reads_its_own_change_while_others_may_read_the_replica(
    settings: dict[str, str], running: Running, replicated: FreshDatabase, replica: EmbeddedPostgres
) -> None:
    async with (
        running(settings) as writer,
        httpx.AsyncClient(base_url=writer.base_url) as reader,
        asked(replica.url(database=replicated.name)) as standby,
    ):
        path = (await writer.post("/user", json=build.user_body())).headers["Location"]
        await reader.get("/health/live")  # and keeps the cookie that says so
        # Once the first beat is on the replica, the reader is answered from there.
        await eventually(lambda: version_seen(reader, path))
        await eventually(lambda: standby.fetchval("SELECT count(*) FROM users.users"))
        await standby.execute("SELECT pg_wal_replay_pause()")

        changed = await writer.put(
            path, json=build.user_body(firstName="Augusta"), headers={"If-Match": '"1"'}
        )

        assert changed.status_code == 200
        assert await version_seen(writer, path) == 2
        await eventually(lambda: shows(reader, path, 1))  # so it is the replica that answers
        async with httpx.AsyncClient(base_url=writer.base_url) as cookieless:
            late = await cookieless.get(path, headers={"Carillon-Consistency": "eventual"})
            assert late.json()["version"] == 1
            cookieless.cookies.clear()
            assert await version_seen(cookieless, path) == 2
        # What a change is decided by is never the replica's: the version there is of yesterday.
        stale = await reader.put(path, json=build.user_body(), headers={"If-Match": '"1"'})
        assert stale.status_code == 412

        await standby.execute("SELECT pg_wal_replay_resume()")
        async with httpx.AsyncClient(base_url=writer.base_url, cookies={"carillon-kept": "1"}) as other:
            await eventually(lambda: shows(other, path, 2))


async def shows(client: httpx.AsyncClient, path: str, version: int) -> bool:
    return await version_seen(client, path) == version


async def test_a_change_marks_its_client_for_longer_than_a_replica_may_be_late(
    settings: dict[str, str], running: Running
) -> None:
    async with running({**settings, "REPLICA_LAG_SECONDS": "7"}) as client:
        created = await client.post("/user", json=build.user_body())
        read = await client.get("/health/live")

    assert created.headers.get_list("set-cookie") == [
        "carillon-wrote=1; Max-Age=9; Path=/; HttpOnly; SameSite=Lax",
    ]
    assert "set-cookie" not in read.headers  # it was told, by the session's first request, and keeps it


async def test_a_replica_that_is_too_far_behind_or_away_is_not_read(
    settings: dict[str, str], running: Running, replicated: FreshDatabase, replica: EmbeddedPostgres
) -> None:
    async with (
        running({**settings, "REPLICA_LAG_SECONDS": "3"}) as writer,
        httpx.AsyncClient(base_url=writer.base_url, cookies={"carillon-kept": "1"}) as reader,
    ):
        async with asked(replica.url(database=replicated.name)) as standby:
            await standby.execute("SELECT pg_wal_replay_pause()")
        path = (await writer.post("/user", json=build.user_body())).headers["Location"]
        await eventually(lambda: shows(reader, path, 1), message="the replica is still read")

        replica.kill()
        try:
            for version in (1, 2):
                assert await version_seen(reader, path) == version
                answer = await writer.put(
                    path,
                    json=build.user_body(firstName=f"Ada {version}"),
                    headers={"If-Match": f'"{version}"'},
                )
                assert answer.status_code == 200
            until = time.monotonic() + 2 * LEFT_ALONE_SECONDS  # so it is tried while it is away, too
            while time.monotonic() < until:
                assert await version_seen(reader, path) == 3
        finally:
            replica.start()
