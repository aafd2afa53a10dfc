import re
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import pytest
from runtime.migrate import migrate
from testkit import build
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.fresh_database import FreshDatabase
from testkit.wait import eventually


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """Start a server that this test may stop."""
    server = EmbeddedPostgres(tmp_path / "postgres", durable=False)
    server.start()
    try:
        yield server
    finally:
        server.remove()


async def test_without_a_database_requests_are_put_off_and_with_it_again_they_are_answered(
    own_server: EmbeddedPostgres,
    environment: Callable[..., dict[str, str]],
    running: Callable[[dict[str, str]], AbstractAsyncContextManager[httpx.AsyncClient]],
) -> None:
    own_server.create_database("carillon")
    await migrate(own_server.url())
    async with running(environment(own_server.url("carillon_user_api"))) as api:
        location = (await api.post("/user", json=build.user_body())).headers["Location"]

        own_server.kill()
        put_off = [
            await api.post("/user", json=build.user_body()),
            await api.get(location),
            await api.put(location, json=build.user_body(firstName="Grace"), headers={"If-Match": "*"}),
            await api.delete(location, headers={"If-Match": "*"}),
            await api.get("/health"),
            await api.get("/health/ready"),
        ]

        assert [answer.status_code for answer in put_off] == [503] * 6
        assert {answer.headers["Content-Type"] for answer in put_off} == {"application/problem+json"}
        assert {answer.headers["Retry-After"] for answer in put_off} == {"2"}
        told = "".join(answer.text for answer in put_off)
        assert re.search(rf"\b{own_server.port}\b", told) is None
        assert (await api.get("/health/live")).status_code == 200

        own_server.start()

        async def answered() -> bool:
            return (await api.get(location)).status_code == 200

        await eventually(answered)
        assert (await api.get("/health/ready")).json() == {"status": "ready"}
        assert (await api.post("/user", json=build.user_body())).status_code == 201


async def test_a_connection_that_the_database_closes_is_never_our_error(
    api: httpx.AsyncClient, database: FreshDatabase
) -> None:
    admin = await database.connect()
    for _ in range(10):
        await admin.execute(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE usename = 'carillon_user_api' AND datname = current_database()
            """
        )
        assert (await api.post("/user", json=build.user_body())).status_code in {201, 503}
