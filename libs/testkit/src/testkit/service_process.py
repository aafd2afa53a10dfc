"""A service as a process of its own, `python -m scheduler` for one, with what it says at its end."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

Process = asyncio.subprocess.Process
StartService = Callable[..., Awaitable[Process]]


@asynccontextmanager
async def service_processes() -> AsyncIterator[StartService]:
    """Start services by module, environment and arguments; whatever still runs at the end is killed."""
    started: list[Process] = []

    async def start(module: str, environment: Mapping[str, str], *arguments: str) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *arguments,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(process)
        return process

    try:
        yield start
    finally:
        for process in started:
            if process.returncode is None:
                process.kill()
                await process.communicate()


async def said(process: Process) -> tuple[int | None, list[str]]:
    """Wait for the end; return the exit code and the lines on standard error."""
    _, errors = await process.communicate()
    return process.returncode, errors.decode().splitlines()
