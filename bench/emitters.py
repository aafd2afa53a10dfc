"""Schedulers that emit, as children of the bench: start them, let them go, wait for the last, hear when."""

import asyncio
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import chain
from pathlib import Path

import msgspec
from carillon_local.surroundings import inherited
from msgspec import Struct
from testkit.die_with_parent import dies_with_parent
from testkit.fresh_database import Connection, FreshDatabase

from bench.emitter import Batch
from bench.scratch import SQL

ALL_WITHIN = 300.0
LOOK_EVERY_SECONDS = 0.05  # at one number, the sequence's


class EmitterError(Exception):
    """A scheduler ended before it was told to, or told nothing; the message has its last words."""


class Emitted(Struct, frozen=True, kw_only=True):
    """What the schedulers emitted from `started` (seconds since the epoch) on; `offset` is their clock's.

    `wal_bytes` is what the server wrote ahead meanwhile.
    """

    started: float
    offset: float
    batches: list[Batch]
    wal_bytes: int

    @property
    def per_second(self) -> float:
        """Occurrences a second, from the start to the last commit."""
        count = sum(len(batch.event_ids) for batch in self.batches)
        return count / (max(batch.committed for batch in self.batches) - self.started)

    @property
    def wal_per_row(self) -> float:
        """How many bytes were written ahead for each occurrence."""
        return self.wal_bytes / sum(len(batch.event_ids) for batch in self.batches)

    @property
    def batch_ms(self) -> list[float]:
        """How long each batch took, BEGIN to COMMIT."""
        return [(batch.committed - batch.began) * 1000 for batch in self.batches]


async def emit_all(database: FreshDatabase, count: int, *, schedulers: int = 1, clock: datetime) -> Emitted:
    """Let so many schedulers, whose clocks show `clock` at the start, emit until `count` are in the outbox.

    Checks that each was emitted once.
    """
    admin = await database.connect()
    async with running_emitters(database.url("carillon_scheduler"), schedulers) as emitters:
        started, written = time.time(), await admin.fetchval(SQL["wal_written"])
        offset = clock.timestamp() - started
        for emitter in emitters:
            tell(emitter, f"{offset}\n")
        async with asyncio.timeout(ALL_WITHIN):
            await until_appended(admin, count, emitters)
        written = await admin.fetchval(SQL["wal_written"]) - written
        batches = list(chain.from_iterable([await end(emitter) for emitter in emitters]))
    event_ids = [event_id for batch in batches for event_id in batch.event_ids]
    assert len(event_ids) == len(set(event_ids)) == count, (len(event_ids), len(set(event_ids)), count)
    return Emitted(started=started, offset=offset, batches=batches, wal_bytes=written)


async def until_appended(admin: Connection, count: int, emitters: list[Process]) -> None:
    """Wait until so many messages have been given a number in the outbox."""
    while await admin.fetchval(SQL["last_message"]) < count:
        for emitter in emitters:
            if emitter.returncode is not None:
                await end(emitter)
        await asyncio.sleep(LOOK_EVERY_SECONDS)


@asynccontextmanager
async def running_emitters(url: str, number: int) -> AsyncIterator[list[Process]]:
    """Give so many schedulers, connected and waiting to be told to start."""
    command = dies_with_parent([sys.executable, "-m", "bench.emitter", url])
    emitters = [
        await asyncio.create_subprocess_exec(
            *command, cwd=Path(__file__).parents[1], env=inherited(), stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        for _ in range(number)
    ]
    try:
        for emitter in emitters:
            assert emitter.stdout
            if await emitter.stdout.readline() != b"ready\n":
                await end(emitter)
        yield emitters
    finally:
        for emitter in emitters:
            if emitter.returncode is None:
                emitter.kill()
            await emitter.wait()


def tell(emitter: Process, line: str) -> None:
    """Write a line to a scheduler's input."""
    assert emitter.stdin
    emitter.stdin.write(line.encode())


async def end(emitter: Process) -> list[Batch]:
    """End a scheduler's input, and with it the scheduler; return what it emitted. Raises EmitterError."""
    told, last_words = await emitter.communicate(b"")  # nothing more to hear: the end of its input
    if emitter.returncode or not told:
        raise EmitterError(f"a scheduler ended with {emitter.returncode}: {last_words.decode().strip()}")
    return msgspec.json.decode(told, type=list[Batch])
