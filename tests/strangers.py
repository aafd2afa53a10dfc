"""What a stranger does to a running system: reads a page, adds the queues it shows, and starts a consumer."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml
from carillon_local.up import connection
from testkit.wait import eventually

from tests.running_system import Carillon


def blocks(page: Path, language: str) -> list[str]:
    """Return the code blocks of a page that are in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def queues_of(page: Path) -> dict[str, Any]:
    """Return the entries under `queues` that a page shows."""
    shown: dict[str, Any] = {}
    for block in blocks(page, "yaml"):
        shown.update(yaml.safe_load(block))
    return shown


def running_topology(carillon: Carillon) -> dict[str, Any]:
    """Return the topology that a system runs with."""
    document: dict[str, Any] = yaml.safe_load(carillon.system.options.topology_file.read_text())
    return document


async def add_queues(carillon: Carillon, folder: Path, queues: Mapping[str, Any]) -> None:
    """Add entries to the topology that a system runs with, and apply that as an operator would."""
    topology_file = carillon.system.options.topology_file
    document = running_topology(carillon)
    document["queues"].update(queues)
    copy = folder / topology_file.name
    copy.write_text(yaml.safe_dump(document))
    schema = topology_file.with_name("topology.schema.json")
    copy.with_name(schema.name).write_bytes(schema.read_bytes())
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "messaging.apply_topology"),
        env={**connection(carillon.system), "TOPOLOGY_FILE": str(copy)},
    )
    assert await process.wait() == 0


class Consumer:
    """A stranger's process, with what it has printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.printed = ""

    async def read(self) -> None:
        """Keep what it prints, until it ends."""
        assert self.process.stdout is not None
        while piece := await self.process.stdout.read(65_536):
            self.printed += piece.decode()

    async def has_printed(self, *words: str, within: float = 20) -> None:
        """Wait until it has printed all of these."""
        await eventually(
            lambda: all(word in self.printed for word in words),
            within=within,
            message=f"it did not print {words}",
        )


@asynccontextmanager
async def consumer(
    carillon: Carillon, *command: str, cwd: Path | None = None, **variables: str
) -> AsyncIterator[Consumer]:
    """Run a consumer with what `make up` writes into LOCAL_DIR/env; at the end it is told to stop."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], **connection(carillon.system), **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    running = Consumer(process)
    reading = asyncio.create_task(running.read())
    try:
        yield running
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(10):
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
            await reading
