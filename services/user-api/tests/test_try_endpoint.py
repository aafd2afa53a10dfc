import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx
import pytest
from runtime.database import Connection
from testkit import build
from testkit.wait import eventually

Answered = Callable[[], Awaitable[bool]]


@asynccontextmanager
async def asked(api: httpx.AsyncClient, **headers: str) -> AsyncIterator[asyncio.Task[httpx.Response]]:
    """Ask for a test of a new endpoint; the answer waits for a worker."""
    location = (await api.post("/endpoint", json=build.endpoint_body())).headers["Location"]
    asking = asyncio.create_task(api.post(f"{location}/test", headers=headers, timeout=30))
    yield asking
    asking.cancel()


async def end_test(admin: Connection) -> bool:
    """Say what came back, as a worker would, once there is a test."""
    done = await admin.execute(
        """
        UPDATE delivery.endpoint_tests
        SET taken_at = now(), ended_at = now(), status = 418, latency_ms = 12.34, body = 'short and stout'
        WHERE ended_at IS NULL
        """
    )
    return bool(done == "UPDATE 1")


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "once"}])
async def test_a_test_is_answered_with_what_came_back(
    api: httpx.AsyncClient, admin: Connection, headers: dict[str, str]
) -> None:
    async with asked(api, **headers) as asking:
        await eventually(lambda: end_test(admin), message="no test was asked for")
        answer = await asking
        again = await api.post(answer.request.url.path, headers=headers) if headers else answer

    expected = {"status": 418, "latencyMs": 12.3, "body": "short and stout", "error": None}
    assert (answer.status_code, answer.json(), again.json()) == (200, expected, expected)
    assert await admin.fetchval("SELECT count(*) FROM delivery.endpoint_tests") == 1


async def test_where_no_worker_takes_it_that_is_said(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("user_api.try_endpoint.TAKEN_WITHIN_SECONDS", 0.1)
    async with asked(api) as asking:
        answer = await asking

    assert (answer.status_code, answer.json()["type"]) == (503, "urn:carillon:problem:test-not-made")
    assert answer.headers["Retry-After"]
    unknown = await api.post(f"/endpoint/{uuid4()}/test")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:carillon:problem:unknown-endpoint")
