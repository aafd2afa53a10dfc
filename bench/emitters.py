"""Schedulers that emit, as children of the bench: start them, let them go, wait for the last, hear when."""

import asyncio
import time
from asyncio.subprocess import Process
from datetime import datetime
from itertools import chain

import msgspec
from msgspec import Struct
from testkit.fresh_database import Connection, FreshDatabase

from bench.children import end, running, tell
from bench.emitter import Batch
from bench.scratch import SQL

ALL_WITHIN = 300.0
LOOK_EVERY_SECONDS = 0.05  # at one number, the sequence's


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
    url = database.url("carillon_scheduler")
    async with running(schedulers, "bench.emitter", url) as emitters:
        started, written = time.time(), await admin.fetchval(SQL["wal_written"])
        offset = clock.timestamp() - started
        for emitter in emitters:
            tell(emitter, str(offset))
        async with asyncio.timeout(ALL_WITHIN):
            await until_appended(admin, count, emitters)
        written = await admin.fetchval(SQL["wal_written"]) - written
        told = [await end(emitter) for emitter in emitters]
        batches = list(chain.from_iterable(msgspec.json.decode(one, type=list[Batch]) for one in told))
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
