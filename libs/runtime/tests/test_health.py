import asyncio
from typing import Any

import aiohttp
import pytest
from runtime.health import Check, serve_health
from testkit.ports import LOOPBACK, free_port


async def well() -> None:
    """Be well."""


async def unwell() -> None:
    raise ConnectionError("PostgreSQL went\naway")


async def get(port: int, path: str) -> tuple[int, Any]:
    url = f"http://{LOOPBACK}:{port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize(
    ("checks", "draining", "status", "body"),
    [
        ({}, False, 200, {"status": "ready"}),
        ({"database": well, "queue": well}, False, 200, {"status": "ready"}),
        (
            {"database": unwell, "queue": well},
            False,
            503,
            {"status": "not ready", "failing": {"database": "ConnectionError: PostgreSQL went away"}},
        ),
        (
            {"database": well},
            True,
            503,
            {"status": "not ready", "failing": {"draining": "the service was told to stop"}},
        ),
    ],
)
async def test_it_is_ready_only_when_every_check_is_well_and_it_is_not_draining(
    checks: dict[str, Check],
    draining: bool,  # noqa: FBT001 (a column of the table above)
    status: int,
    body: dict[str, Any],
) -> None:
    stop = asyncio.Event()
    port = free_port()
    async with serve_health(LOOPBACK, port, checks, stop):
        if draining:
            stop.set()

        assert await get(port, "/health/ready") == (status, body)
        assert await get(port, "/health/live") == (200, {"status": "live"})


async def test_a_taken_port_is_an_error_that_names_it() -> None:
    port = free_port()
    async with serve_health(LOOPBACK, port, {}, asyncio.Event()):
        with pytest.raises(OSError, match=rf"\('127.0.0.1', {port}\)"):
            async with serve_health(LOOPBACK, port, {}, asyncio.Event()):
                pass
