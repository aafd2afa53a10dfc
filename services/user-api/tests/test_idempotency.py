import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import pytest_asyncio
from runtime.database import Connection
from testkit import build
from testkit.fresh_database import FreshDatabase
from testkit.wait import eventually
from user_api.idempotency_key import keyed_request

Environment = Callable[..., dict[str, str]]
Running = Callable[[dict[str, str]], AbstractAsyncContextManager[httpx.AsyncClient]]
Stored = Callable[[], Awaitable[tuple[int, int]]]

BODY = build.user_body(email="ada@example.com")
KEY = {"Idempotency-Key": "order-1"}


@pytest_asyncio.fixture
async def other_api(
    database: FreshDatabase, environment: Environment, running: Running
) -> AsyncIterator[httpx.AsyncClient]:
    """Another instance on the same database."""
    async with running(environment(database.url("carillon_user_api"))) as session:
        yield session


async def _kept(database: FreshDatabase) -> int:
    admin = await database.connect()
    return int(await admin.fetchval("SELECT count(*) FROM users.idempotency_keys"))


async def _stuck(admin: Connection) -> bool:
    """Tell whether a request waits for a lock that somebody has."""
    return bool(
        await admin.fetchval(
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'
            """
        )
    )


async def test_a_repeated_request_has_one_effect_and_one_answer_whichever_instance_is_asked(
    api: httpx.AsyncClient, other_api: httpx.AsyncClient, stored: Stored
) -> None:
    first = await api.post("/user", json=BODY, headers=KEY)
    repeated = [
        await api.post("/user", json=BODY, headers=KEY),
        await other_api.post("/user", json=BODY, headers={"Idempotency-Key": '"order-1"'}),
    ]

    assert first.status_code == 201
    assert "Idempotent-Replayed" not in first.headers
    for answer in repeated:
        assert (answer.status_code, answer.content) == (201, first.content)
        assert answer.headers["Idempotent-Replayed"] == "true"
        assert answer.headers["X-Request-Id"] != first.headers["X-Request-Id"]
        for header in ("Location", "ETag", "Content-Type", "Content-Length"):
            assert answer.headers[header] == first.headers[header]
    assert await stored() == (1, 1)
    # The connection that was held is a connection like others.
    assert (await api.get(first.headers["Location"])).json() == first.json()
    assert (await api.post("/user", json=build.user_body())).status_code == 201


async def test_a_key_is_for_one_request(api: httpx.AsyncClient, stored: Stored) -> None:
    await api.post("/user", json=BODY, headers=KEY)
    others = [
        await api.post("/user", json=build.user_body(), headers=KEY),
        await api.post("/user?again", json=BODY, headers=KEY),
    ]

    for answer in others:
        assert answer.status_code == 422
        assert answer.json()["type"] == "urn:carillon:problem:idempotency-key-reused"
        assert [error["field"] for error in answer.json()["errors"]] == ["Idempotency-Key"]
    assert (
        await api.post("/user", json=build.user_body(), headers={"Idempotency-Key": "2"})
    ).status_code == 201
    assert await stored() == (2, 2)


async def test_while_a_request_is_under_way_its_repetition_is_told_to_wait(
    api: httpx.AsyncClient, other_api: httpx.AsyncClient, database: FreshDatabase, stored: Stored
) -> None:
    blocking, admin = await database.connect(), await database.connect()
    async with blocking.transaction():
        await blocking.execute("LOCK TABLE users.users IN SHARE MODE")
        first = asyncio.create_task(api.post("/user", json=BODY, headers=KEY))
        await eventually(lambda: _stuck(admin))

        meanwhile = await other_api.post("/user", json=BODY, headers=KEY)
        different = await other_api.post("/user", json=build.user_body(), headers=KEY)

        assert (meanwhile.status_code, different.status_code) == (409, 409)
        assert meanwhile.json()["type"] == "urn:carillon:problem:idempotency-key-in-use"
        assert int(meanwhile.headers["Retry-After"]) > 0
    done = await first

    repeated = await other_api.post("/user", json=BODY, headers=KEY)
    assert done.status_code == 201
    assert repeated.content == done.content
    assert await stored() == (1, 1)


async def test_a_refused_request_leaves_its_key_unused(
    api: httpx.AsyncClient, database: FreshDatabase, stored: Stored
) -> None:
    admin = await database.connect()
    taken_by = (await api.post("/user", json=BODY)).headers["Location"]
    statuses = [
        (await api.post("/user", json={**BODY, "timezone": "Mars/Olympus"}, headers=KEY)).status_code,
        (await api.post("/user", json=BODY, headers=KEY)).status_code,
        (await api.post("/user", content=b" " * (1024 * 1024 + 1), headers=KEY)).status_code,
    ]
    await api.delete(taken_by, headers={"If-Match": "*"})
    await admin.execute("REVOKE EXECUTE ON FUNCTION outbox.append FROM carillon_user_api")
    statuses.append((await api.post("/user", json=BODY, headers=KEY)).status_code)
    await admin.execute("GRANT EXECUTE ON FUNCTION outbox.append TO carillon_user_api")

    assert statuses == [400, 409, 413, 500]
    assert await _kept(database) == 0
    done = await api.post("/user", json=BODY, headers=KEY)
    assert done.status_code == 201
    assert "Idempotent-Replayed" not in done.headers
    assert (await stored())[0] == 1


async def test_key_effect_and_reply_commit_together_or_not_at_all(
    api: httpx.AsyncClient, database: FreshDatabase, stored: Stored
) -> None:
    admin = await database.connect()
    await admin.execute(
        """
        CREATE FUNCTION users.fail() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE 'at the commit'; END $$;
        CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON users.idempotency_keys
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION users.fail();
        """
    )
    failed = await api.post("/user", json=BODY, headers=KEY)
    none = (await stored(), await _kept(database))
    await admin.execute("DROP TRIGGER fail ON users.idempotency_keys")
    done = await api.post("/user", json=BODY, headers=KEY)

    assert failed.status_code == 500
    assert none == ((0, 0), 0)
    assert done.status_code == 201
    assert (await stored(), await _kept(database)) == ((1, 1), 1)


NO_KEYS = ["", '""', "a b", '"a b"', '"a', "é".encode(), "x" * 256, f'"{"x" * 256}"', '"a\\b"', '"a"; b="c"']


async def test_a_key_that_is_none_is_named_and_a_long_one_is_taken(
    api: httpx.AsyncClient, stored: Stored
) -> None:
    for value in NO_KEYS:
        answer = await api.post("/user", json=BODY, headers=[("Idempotency-Key", value)])  # type: ignore[arg-type]

        assert answer.status_code == 400, value
        assert [error["field"] for error in answer.json()["errors"]] == ["Idempotency-Key"]
    twice = await api.post("/user", json=BODY, headers=[*KEY.items(), *KEY.items()])

    assert twice.status_code == 400
    assert await stored() == (0, 0)
    longest = {"Idempotency-Key": "!" * 255}
    assert (await api.post("/user", json=BODY, headers=longest)).status_code == 201


async def test_an_import_takes_no_key_and_says_why(api: httpx.AsyncClient) -> None:
    answer = await api.post("/user/import", content=b"{}", headers=KEY)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["Idempotency-Key"]
    assert "may be repeated" in answer.text


def test_a_key_is_its_callers_own() -> None:
    def asked(by: str, key: bytes = b"1", path: bytes = b"/user") -> Any:  # noqa: ANN401 - a Struct
        caller = SimpleNamespace(subject=by)
        scope: Any = {"state": {"caller": caller}, "method": "POST", "raw_path": path, "query_string": b""}
        return keyed_request(scope, key, b"{}")

    assert asked("ada") == asked("ada")
    assert asked("ada").id != asked("grace").id
    assert asked("ada").id != asked("ada", b"2").id
    assert asked("ada").request == asked("grace").request != asked("ada", path=b"/user/1/occasion").request


async def test_what_is_kept_goes_with_the_user_whom_it_tells_of(
    api: httpx.AsyncClient, database: FreshDatabase
) -> None:
    location = (await api.post("/user", json=BODY, headers=KEY)).headers["Location"]
    await api.post("/user", json=build.user_body(), headers={"Idempotency-Key": "2"})
    await api.delete(location, headers={"If-Match": '"1"'})

    assert await _kept(database) == 1


async def test_a_key_may_be_used_again_after_a_day_and_what_was_kept_is_forgotten(
    api: httpx.AsyncClient, database: FreshDatabase, environment: Environment, running: Running
) -> None:
    admin = await database.connect()
    await api.post("/user", json=build.user_body(), headers=KEY)
    await admin.execute("UPDATE users.idempotency_keys SET stored_at = now() - interval '24 hours'")
    again = await api.post("/user", json=build.user_body(), headers=KEY)

    assert again.status_code == 201
    assert "Idempotent-Replayed" not in again.headers
    # More than a batch of each.
    await admin.execute(
        """
        INSERT INTO users.idempotency_keys (id, request, status, headers, body, stored_at)
        SELECT int4send(n), '', 201, '[]', '', now() - interval '24 hours' FROM generate_series(1, 1001) AS n
        """
    )
    await admin.execute(
        """
        INSERT INTO users.rate_limits (client, tokens, granted, updated_at)
        SELECT int4send(n), 0, 0, now() - interval '1 hour' FROM generate_series(1, 1001) AS n
        """
    )
    async with running(environment(database.url("carillon_user_api"))):

        async def forgotten() -> bool:
            old = await admin.fetchval("SELECT count(*) FROM users.rate_limits WHERE length(client) = 4")
            return (await _kept(database), old) == (1, 0)

        await eventually(forgotten)
    assert (await api.post("/user", json=build.user_body(), headers=KEY)).content == again.content


async def test_a_process_that_is_killed_leaves_its_key_free(
    api: httpx.AsyncClient, database: FreshDatabase, environment: Environment, stored: Stored
) -> None:
    settings = environment(database.url("carillon_user_api"))
    blocking, admin = await database.connect(), await database.connect()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "user_api"), env={**os.environ, **settings}, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with (
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings['API_PORT']}") as killed,
            blocking.transaction(),
        ):
            await eventually(lambda: _is_live(killed), within=30)
            await blocking.execute("LOCK TABLE users.users IN SHARE MODE")
            cut_off = asyncio.create_task(killed.post("/user", json=BODY, headers=KEY))
            await eventually(lambda: _stuck(admin))
            process.kill()
            with pytest.raises(httpx.TransportError):
                await cut_off
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    async def done() -> bool:
        answer = await api.post("/user", json=BODY, headers=KEY)
        return answer.status_code == 201 and "Idempotent-Replayed" not in answer.headers

    # Its backend notices at its next step that nobody is there; until then the key is in use.
    await eventually(done)
    assert await stored() == (1, 1)


async def _is_live(api: httpx.AsyncClient) -> bool:
    try:
        return (await api.get("/health/live")).is_success
    except httpx.ConnectError:
        return False
