import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest
from litestar.types import Receive, Scope, Send
from testkit import build
from testkit.fresh_database import FreshDatabase
from user_api import time_limit
from user_api.time_limit import TimeLimit

Environment = Callable[..., dict[str, str]]
Running = Callable[[dict[str, str]], AbstractAsyncContextManager[httpx.AsyncClient]]
Stored = Callable[[], Awaitable[tuple[int, int]]]


async def test_a_request_that_takes_too_long_is_put_off_and_rolled_back(
    database: FreshDatabase, environment: Environment, running: Running, stored: Stored
) -> None:
    blocking = await database.connect()
    settings = environment(database.url("carillon_user_api"), REQUEST_TIMEOUT_SECONDS="0.5")
    async with running(settings) as api:
        async with blocking.transaction():
            # The user is written, and their event cannot be.
            await blocking.execute("LOCK TABLE outbox.messages IN SHARE MODE")
            answers = [
                await api.post("/user", json=build.user_body(), headers=headers)
                for headers in ({}, {"Idempotency-Key": "1"})
            ]

        for answer in answers:
            assert answer.status_code == 503
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.headers["Retry-After"] == "2"
        assert await stored() == (0, 0)
        # Neither the connections nor the key are left in use.
        again = await api.post("/user", json=build.user_body(), headers={"Idempotency-Key": "1"})
        assert again.status_code == 201
        assert "Idempotent-Replayed" not in again.headers


async def test_a_body_that_does_not_come_is_not_waited_for(
    database: FreshDatabase, environment: Environment, running: Running, stored: Stored
) -> None:
    settings = environment(database.url("carillon_user_api"), REQUEST_BODY_TIMEOUT_SECONDS="0.2")
    async with running(settings) as api:
        for headers in (b"", b"Idempotency-Key: 1\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", api.base_url.port)
            writer.write(
                b"POST /user HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n" + headers + b"\r\n{"
            )
            async with asyncio.timeout(10):
                answer = await reader.read()  # to the end: the connection is closed
            writer.close()

            assert answer.startswith(b"HTTP/1.1 408 ")
            assert b"application/problem+json" in answer
            assert b"urn:carillon:problem:body-too-slow" in answer
        assert await stored() == (0, 0)


async def test_an_import_may_take_as_long_as_it_has_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limit, "LOOK_SECONDS", 0.001)
    pieces = [b"{}\n"] * 5
    read: list[Any] = []

    async def receive() -> Any:  # noqa: ANN401 - a message
        await asyncio.sleep(0.01)  # in which there is a look
        return {"type": "http.request", "body": pieces.pop(), "more_body": bool(pieces)}

    async def send(_: Any) -> None:  # noqa: ANN401 - a message
        raise AssertionError

    async def take(_: Scope, receive: Receive, __: Send) -> None:
        while not read or read[-1]["more_body"]:
            read.append(await receive())

    scope: Any = {"path": "/user/import", "headers": [(b"transfer-encoding", b"chunked")]}
    await TimeLimit(take, answer_within=0, body_within=60)(scope, receive, send)

    assert len(read) == 5
