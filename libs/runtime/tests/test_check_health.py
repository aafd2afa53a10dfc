"""The health check of a container: its exit code is the service's readiness."""

import asyncio

import pytest
from runtime import check_health
from runtime.health import Check, serve_health
from testkit.ports import LOOPBACK, free_port


async def well() -> None:
    """Be well."""


async def unwell() -> None:
    raise ConnectionError("PostgreSQL went away")


async def ended_with(checks: dict[str, Check]) -> str | int | None:
    port = free_port()
    async with serve_health(LOOPBACK, port, checks, asyncio.Event()):
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("HEALTH_PORT", str(port))
            try:
                await asyncio.to_thread(check_health.main)
            except SystemExit as ended:
                return ended.code
    return 0


async def test_a_ready_service_is_healthy() -> None:
    assert await ended_with({"database": well}) == 0


async def test_one_that_is_not_ready_is_not_and_the_reason_is_told() -> None:
    code = await ended_with({"database": unwell})

    assert isinstance(code, str)
    assert "PostgreSQL went away" in code


def test_where_nobody_listens_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_PORT", str(free_port()))

    with pytest.raises(SystemExit, match="ConnectionRefused"):
        check_health.main()
