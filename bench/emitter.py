"""`python -m bench.emitter URL`: a scheduler's loops of emitting as a process of its own, and nothing else.

It says `ready`, starts when it is told the offset of its clock (a line), stops when its input ends, and then
tells its batches as JSON. A loop that fails ends it at once, with the reason on its standard error.
"""

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import uvloop
from messaging.outbox import SQL as OUTBOX_SQL
from msgspec import Struct, structs
from runtime.database import Pool
from scheduler.catch_up import catch_up
from scheduler.emit_due import emit_due
from scheduler.settings import Settings

from bench.children import answer, ready
from bench.scratch import log_into_nothing, open_pool, without_news

DEFAULTS = {field.name: field.default for field in structs.fields(Settings)}
CHECK_AFTER = timedelta(minutes=15)


class Batch(Struct, frozen=True, array_like=True):
    """A batch that was emitted: when it began and was committed (seconds since the epoch), its event ids."""

    began: float
    committed: float
    event_ids: list[UUID]


class Watched:
    """A connection of the service's pool, whose transactions are noted once they are committed."""

    def __init__(self, batches: list[Batch]) -> None:
        self._batches = batches
        self._began = 0.0
        self._event_ids: list[UUID] = []

    def on_statement(self, sent: Any) -> None:  # noqa: ANN401 (asyncpg exports no type for it)
        """Note a statement that was answered."""
        if sent.query == "BEGIN;":
            self._began = time.time()
        elif sent.query == OUTBOX_SQL["append"]:
            self._event_ids = list(sent.args[0])
        elif sent.query == "COMMIT;" and self._event_ids:
            self._batches.append(Batch(self._began, time.time(), self._event_ids))
            self._event_ids = []


async def watch(pool: Pool, batches: list[Batch]) -> None:
    """Open every connection that the pool may have, and note what is committed on each."""
    async with AsyncExitStack() as lent:
        for _ in range(pool.get_max_size()):
            connection = await lent.enter_async_context(pool.acquire())
            connection.add_query_logger(Watched(batches).on_statement)


async def emit(url: str) -> list[Batch]:
    """Emit what falls due, as the service does, from when we are told to until there is no more to hear."""
    topology = without_news()
    batches: list[Batch] = []
    stop = asyncio.Event()
    async with open_pool(url) as pool:
        await watch(pool, batches)
        told = await ready()
        offset = timedelta(seconds=float(await told.readline()))
        common = {"offset": offset, "batch": DEFAULTS["claim_batch"], "check_after": CHECK_AFTER}
        async with asyncio.TaskGroup() as loops:
            loops.create_task(emit_due(pool, topology, stop, **common, claimers=DEFAULTS["claimers"]))
            loops.create_task(
                catch_up(pool, topology, stop, **common, per_second=DEFAULTS["backlog_per_second"])
            )
            await told.read()
            stop.set()
    return batches


if __name__ == "__main__":
    log_into_nothing()
    answer(msgspec.json.encode(uvloop.run(emit(sys.argv[1]))))
