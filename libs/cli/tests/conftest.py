"""The API as a process of its own, which a test may kill, and the command as another."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from testkit.api_process import ApiProcess
from testkit.fresh_database import FreshDatabase
from testkit.repository import find_topology


@pytest.fixture
def api(database: FreshDatabase, pytestconfig: pytest.Config, tmp_path: Path) -> Iterator[ApiProcess]:
    """Start the API."""
    topology = find_topology(pytestconfig.rootpath)
    started = ApiProcess(database.url("carillon_user_api"), topology, tmp_path / "user-api.log")
    try:
        started.start()
        yield started
    finally:
        started.kill()


@pytest.fixture
def carillon(tmp_path: Path) -> Iterator[Callable[..., Awaitable[Process]]]:
    """Run the command `carillon` with arguments, in a folder of its own; its ends are pipes."""
    processes: list[Process] = []

    async def run(*arguments: str, **environment: str) -> Process:
        command = (sys.executable, "-m", "carillon_cli", *arguments)
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=tmp_path, env={**os.environ, **environment}
        )
        processes.append(process)
        return process

    yield run
    for process in processes:
        if process.returncode is None:
            process.kill()
