import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from testkit import build
from testkit.fresh_database import FreshDatabase
from testkit.wait import eventually

COMMAND = [sys.executable, "-m", "user_api"]
Environment = Callable[..., dict[str, str]]


class Service:
    """The service as a process of its own; its output goes to a file."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.port = int(environment["API_PORT"])
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                COMMAND, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT
            )

    def asked(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}")

    async def started(self) -> None:
        await eventually(lambda: "service.ready" in self.log.read_text(), within=30)

    async def ended(self, *, within: float) -> int:
        await eventually(lambda: self.process.poll() is not None, within=within)
        return self.process.wait()

    async def logged(self, request_id: str) -> dict[str, Any]:
        """Wait for the access-log line of a request: it is written once the answer is on its way."""

        def line() -> dict[str, Any] | None:
            # A last line without its end is still being written.
            complete = self.log.read_text().rpartition("\n")[0].splitlines()
            return next(
                (said for text in complete if (said := json.loads(text)).get("requestId") == request_id), None
            )

        said = await eventually(line)
        assert said is not None
        return said


def _run(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        COMMAND, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest_asyncio.fixture
async def service(
    database: FreshDatabase, environment: Environment, tmp_path: Path
) -> AsyncIterator[Service]:
    settings = environment(database.url("carillon_user_api"), DRAIN_TIMEOUT_SECONDS="5")
    service = Service(settings, tmp_path / "user-api.log")
    try:
        await service.started()
        yield service
    finally:
        service.process.kill()
        service.process.wait()


async def test_sigterm_finishes_what_is_in_flight_while_ready_says_503_and_exits_0(service: Service) -> None:
    body = json.dumps(build.user_body()).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(b"POST /user HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body))
    writer.write(body[:10])
    await writer.drain()
    async with service.asked() as api:
        await api.get("/health/ready")  # a request later, so the one above is in flight

        service.process.terminate()

        async def draining() -> httpx.Response | None:
            answer = await api.get("/health/ready")
            return answer if answer.status_code == 503 else None

        ready = await eventually(draining)
        assert ready is not None
        assert ready.json()["detail"] == "Not ready: draining."
    # Load balancers come on new connections, and go on coming: the port is open to them for as long.
    until = time.monotonic() + 1
    while time.monotonic() < until:
        async with service.asked() as balancer:
            assert (await balancer.get("/health/ready")).status_code == 503
    writer.write(body[10:])
    answer = await reader.read()
    writer.close()

    assert answer.startswith(b"HTTP/1.1 201 ")
    assert await service.ended(within=15) == 0


async def test_sigterm_with_nothing_in_flight_exits_at_once(service: Service) -> None:
    async with service.asked() as api:
        await api.get("/health")  # and its connection is kept
        service.process.terminate()
        assert await service.ended(within=4) == 0  # sooner than the drain may take


async def test_a_request_that_never_ends_is_cut_off_within_the_drain_and_answered(service: Service) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(b"POST /user HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    async with service.asked() as api:
        await api.get("/health")

    service.process.terminate()
    answer = await reader.read()
    writer.close()

    assert await service.ended(within=15) == 0
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"application/problem+json" in answer
    assert "Traceback" not in service.log.read_text()


async def test_a_request_is_one_line_in_the_access_log_without_names_and_addresses(service: Service) -> None:
    async with service.asked() as api:
        answer = await api.post(
            "/user?email=ada@example.com",
            json=build.user_body(email="ada@example.com"),
            headers={"X-Request-Id": "r1", "X-Forwarded-For": "203.0.113.9"},
        )
        await api.get("/user/ada@example.com", headers={"X-Request-Id": "r2"})

    line = await service.logged("r1")
    mistyped = await service.logged("r2")
    assert line.pop("latency") > 0
    assert line.pop("requestTime").endswith("Z")
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "request",
        "level": "info",
        "service": "user-api",
        "requestId": "r1",
        "ip": "127.0.0.1",
        "httpMethod": "POST",
        "resourcePath": "/user",
        "status": 201,
        "protocol": "HTTP/1.1",
        "responseLength": len(answer.content),
    }
    assert (mistyped["status"], mistyped["resourcePath"]) == (400, "(not logged)")
    log = service.log.read_text()
    assert "example.com" not in log
    assert "Lovelace" not in log


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        *(("AUTH", ""), ("AUTH", "on"), ("CARILLON_ENV", "production"), ("API_PORT", "http")),
        *(
            ("API_PORT", ""),
            ("TOPOLOGY_FILE", ""),
            ("DATABASE_URL", ""),
            ("DATABASE_URL", "mysql://localhost"),
        ),
    ],
)
def test_a_bad_variable_stops_the_start_with_one_line_that_names_it(
    environment: Environment, variable: str, value: str
) -> None:
    settings = {**environment("postgresql://nobody@127.0.0.1:1/none"), variable: value}
    ended = _run(settings)

    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert variable in ended.stderr
    if variable == "CARILLON_ENV":
        assert "AUTH" in ended.stderr


def test_a_topology_that_is_not_there_stops_the_start_with_one_line(environment: Environment) -> None:
    settings = environment("postgresql://nobody@127.0.0.1:1/none", TOPOLOGY_FILE="/nowhere/topology.yaml")
    ended = _run(settings)

    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "TOPOLOGY_FILE" in ended.stderr


def test_a_taken_port_stops_the_start_with_one_line(
    database: FreshDatabase, environment: Environment
) -> None:
    settings = environment(database.url("carillon_user_api"))
    with socket.create_server(("127.0.0.1", int(settings["API_PORT"]))):
        ended = _run(settings)

    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "API_PORT" in ended.stderr
