"""A service as a process that cannot start: what it says, how it exits. The dispatcher stands for all."""

import asyncio
import json
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from testkit.broker import Broker
from testkit.fresh_database import FreshDatabase
from testkit.ports import LOOPBACK

Environment = dict[str, str]


async def run_to_end(module: str, environment: Environment) -> tuple[int | None, str, str]:
    process = await start(module, environment)
    output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


async def start(module: str, environment: Environment) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        "-m",
        module,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def until_it_says(process: asyncio.subprocess.Process, event: str) -> dict[str, Any]:
    assert process.stdout is not None
    async with asyncio.timeout(20):
        async for line in process.stdout:
            said: dict[str, Any] = json.loads(line)
            if said["event"] == event:
                return said
    raise AssertionError(f"it ended without saying {event}")


@asynccontextmanager
async def silent_server() -> AsyncIterator[int]:
    """Take connections on a port and never answer."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("RELAY_BATCH", "hidden", "dispatcher: RELAY_BATCH is not valid: Expected `int`, got `str`\n"),
        ("DATABASE_URL", "", "dispatcher: DATABASE_URL is not set\n"),
    ],
)
async def test_a_bad_variable_is_one_line_on_stderr_and_exit_2(
    environment: Environment, variable: str, value: str, line: str
) -> None:
    assert await run_to_end("dispatcher", {**environment, variable: value}) == (2, "", line)


async def test_a_topology_that_is_not_there_is_one_line_that_names_the_variable_and_exit_2(
    environment: Environment, tmp_path: Path
) -> None:
    code, _, errors = await run_to_end(
        "dispatcher", {**environment, "TOPOLOGY_FILE": str(tmp_path / "nowhere.yaml")}
    )

    assert code == 2
    assert errors.startswith("dispatcher: TOPOLOGY_FILE ")
    assert errors.endswith("nowhere.yaml'\n")
    assert errors.count("\n") == 1


async def test_a_database_that_does_not_come_is_said_and_one_line_after_the_start_timeout(
    environment: Environment,
) -> None:
    code, output, errors = await run_to_end("dispatcher", {**environment, "START_TIMEOUT_SECONDS": "0.6"})
    waiting = [said for line in output.splitlines() if (said := json.loads(line))["event"] == "start.waiting"]

    assert code == 1
    assert errors == (
        "dispatcher: PostgreSQL at 127.0.0.1:1/carillon did not come within 0.6 s: "
        "ConnectionRefusedError: [Errno 111] Connection refused\n"
    )
    assert [said["waiting_for"] for said in waiting] == ["PostgreSQL at 127.0.0.1:1/carillon"]
    assert "hidden" not in output + errors


async def test_a_database_that_takes_the_connection_and_never_answers_is_given_up_in_time(
    environment: Environment,
) -> None:
    async with silent_server() as port:
        url = f"postgres://role@{LOOPBACK}:{port}/carillon"
        code, output, errors = await run_to_end(
            "dispatcher", {**environment, "DATABASE_URL": url, "START_TIMEOUT_SECONDS": "0.6"}
        )
    silence = "TimeoutError: it does not answer"
    started, *_, failed = [json.loads(line)["timestamp"] for line in output.splitlines()]

    assert (code, errors) == (
        1,
        f"dispatcher: PostgreSQL at 127.0.0.1:{port}/carillon did not come within 0.6 s: {silence}\n",
    )
    assert seconds_between(started, failed) < 3


@asynccontextmanager
async def refusing_server() -> AsyncIterator[int]:
    """Listen to nobody on a port."""
    yield 1


@pytest.mark.parametrize(
    ("number", "database"), [(signal.SIGTERM, silent_server), (signal.SIGINT, refusing_server)]
)
async def test_a_signal_while_it_waits_ends_it_at_once_with_exit_0(
    environment: Environment,
    number: signal.Signals,
    database: Callable[[], AbstractAsyncContextManager[int]],
) -> None:
    async with database() as port:
        url = f"postgres://role@{LOOPBACK}:{port}/carillon"
        process = await start("dispatcher", {**environment, "DATABASE_URL": url})
        await until_it_says(process, "service.starting")
        process.send_signal(number)
        told = time.monotonic()
        output, errors = await process.communicate()

    assert process.returncode == 0
    assert errors == b""
    assert json.loads(output.splitlines()[-1])["event"] == "service.stopped"
    assert time.monotonic() - told < 20  # and not the 60 s it would wait


async def test_a_taken_health_port_is_one_line_and_exit_1(
    environment: Environment, database: FreshDatabase, broker: Broker
) -> None:
    settled = {
        **environment,
        **broker.engine.environment(),
        "CARILLON_ENV": broker.environment,
        "DATABASE_URL": database.url("carillon_dispatcher"),
    }
    async with silent_server() as port:
        code, _, errors = await run_to_end("dispatcher", {**settled, "HEALTH_PORT": str(port)})

    assert code == 1
    assert errors.startswith("dispatcher: ")
    assert f"('127.0.0.1', {port}): address already in use" in errors.lower()
    assert errors.count("\n") == 1


NOT_A_DATABASE = "is not valid: Expected a URL such as postgres://role@host:5432/database"
SSL_MODES = "disable, allow, prefer, require, verify-ca, verify-full"


@pytest.mark.parametrize(
    ("url", "code", "line"),
    [
        ("", 2, "DATABASE_DIRECT_URL is not set"),
        ("postgres://u:hidden@127.0.0.1:port/carillon", 2, f"DATABASE_DIRECT_URL {NOT_A_DATABASE}"),
        (
            "postgres://u:hidden@127.0.0.1:1/carillon?sslmode=never",
            1,
            f"ClientConfigurationError: `sslmode` parameter must be one of: {SSL_MODES}",
        ),
        (
            "postgres://u:hidden@127.0.0.1:1/carillon",
            1,
            "ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', 1)",
        ),
    ],
)
async def test_a_migration_that_cannot_start_says_why_in_one_line(
    environment: Environment, url: str, code: int, line: str
) -> None:
    ended = await run_to_end("runtime.migrate", {**environment, "DATABASE_DIRECT_URL": url})

    assert ended == (code, "", f"migrate: {line}\n")


def seconds_between(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
