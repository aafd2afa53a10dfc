"""POST /user/import, without its HTTP: lines in, what became of them out, a transaction each 5,000 lines."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime

from msgspec import Struct

from user_api.context import Context
from user_api.import_batch import TURN, import_batch
from user_api.import_line import Blank, Entry, LineResult, Wanted, read_line
from user_api.split_lines import Line

BATCH_LINES = 5_000
# After this, what has come is committed, however little: results flow to a client that sends slowly too.
BATCH_SECONDS = 1.0


class Committed(Struct, frozen=True):
    """All up to line `through` is done for good; `results` has those of this batch, in order."""

    through: int
    results: list[LineResult]


async def import_users(context: Context, lines: AsyncIterator[list[Line]]) -> AsyncGenerator[Committed]:
    """Create the users whom `lines` describe; memory holds one batch, whatever their number.

    A line at fault stops no other. Importing a line again finds the user it made, so after any error, which
    undoes its batch only, the import may begin again anywhere before it.
    """
    async for batch in _batches(_read(context, lines)):
        wanted = [entry for entry in batch if isinstance(entry, Wanted)]
        done = iter(await import_batch(context, wanted) if wanted else [])
        yield Committed(
            batch[-1].line,
            [
                next(done) if isinstance(entry, Wanted) else entry
                for entry in batch
                if not isinstance(entry, Blank)
            ],
        )


async def _read(context: Context, lines: AsyncIterator[list[Line]]) -> AsyncIterator[list[Entry]]:
    async for some in lines:
        now = datetime.now(UTC) + context.clock_offset
        for start in range(0, len(some), TURN):
            yield [read_line(line, now=now) for line in some[start : start + TURN]]
            await asyncio.sleep(0)  # chunks that wait already would leave others no turn


async def _batches(entries: AsyncIterator[list[Entry]]) -> AsyncIterator[list[Entry]]:
    batch: list[Entry] = []
    clock = asyncio.get_running_loop().time
    begun = clock()
    reading = asyncio.ensure_future(anext(entries, None))
    try:
        while True:
            waited = max(0.0, begun + BATCH_SECONDS - clock()) if batch else None
            await asyncio.wait({reading}, timeout=waited)
            if reading.done():
                if (some := reading.result()) is None:
                    break
                if not batch:
                    begun = clock()
                batch += some
                reading = asyncio.ensure_future(anext(entries, None))
            if len(batch) >= BATCH_LINES or (batch and clock() >= begun + BATCH_SECONDS):
                yield batch[:BATCH_LINES]
                batch, begun = batch[BATCH_LINES:], clock()
        if batch:
            yield batch
    finally:
        reading.cancel()
