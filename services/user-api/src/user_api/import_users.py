"""POST /user/import, without its HTTP: lines in, what became of them out, a transaction each 5,000 lines."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import UTC, datetime

from domain.kinds.birthday import BIRTHDAY
from msgspec import Struct

from user_api.context import Context
from user_api.default_times import default_times
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


async def import_users(context: Context, lines: AsyncIterator[list[Line]]) -> AsyncGenerator[Committed, None]:
    """Create the users whom `lines` describe; memory holds two batches, whatever their number.

    A line at fault stops no other. Importing a line again finds the user it made, so after any error, which
    undoes its batch only, the import may begin again anywhere before it.
    """
    entries = _Entries(_read(context, lines))
    committing: asyncio.Task[Committed] | None = None
    try:
        while True:
            await entries.wait(beside=committing)
            if committing is not None and committing.done():
                yield committing.result()
                committing = None
            if committing is None:
                if batch := entries.take_batch():
                    # The next is read beside it: PostgreSQL and this process would wait for each other.
                    committing = asyncio.create_task(_commit(context, batch))
                elif entries.ended:
                    return
    finally:
        await entries.close()
        if committing is not None:
            committing.cancel()
            await asyncio.wait({committing})


async def _commit(context: Context, batch: Sequence[Entry]) -> Committed:
    wanted = [entry for entry in batch if isinstance(entry, Wanted)]
    done = iter(await import_batch(context, wanted) if wanted else [])
    results = [
        next(done) if isinstance(entry, Wanted) else entry for entry in batch if not isinstance(entry, Blank)
    ]
    return Committed(batch[-1].line, results)


async def _read(context: Context, lines: AsyncIterator[list[Line]]) -> AsyncGenerator[list[Entry], None]:
    at_local = default_times(context.topology)[BIRTHDAY.occasion_type]
    async for some in lines:
        now = datetime.now(UTC) + context.clock_offset
        for start in range(0, len(some), TURN):
            yield [read_line(line, now=now, send_at_local=at_local) for line in some[start : start + TURN]]
            await asyncio.sleep(0)  # a client that sends fast would leave other requests no turn


class _Entries:
    """What is read and waits for its batch: up to one more than a batch holds."""

    def __init__(self, source: AsyncGenerator[list[Entry], None]) -> None:
        self._source = source
        self._clock = asyncio.get_running_loop().time
        self._waiting: list[Entry] = []
        self._since = 0.0
        self._reading: asyncio.Future[list[Entry] | None] | None = None
        self.ended = False

    async def wait(self, *, beside: asyncio.Task[Committed] | None) -> None:
        """Wait until there is more, or a batch is due, or the task beside it is done."""
        if self._reading is None and not self.ended and len(self._waiting) < BATCH_LINES:
            self._reading = asyncio.ensure_future(anext(self._source, None))
        awaited = {task for task in (self._reading, beside) if task is not None}
        if awaited:
            left = self._since + BATCH_SECONDS - self._clock() if self._waiting and beside is None else None
            await asyncio.wait(awaited, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        if self._reading is not None and self._reading.done():
            more = self._reading.result()
            self._reading = None
            if more is None:
                self.ended = True
            else:
                self._since = self._since if self._waiting else self._clock()
                self._waiting += more

    def take_batch(self) -> list[Entry]:
        """Give a batch if one is due: full, or the last, or waited for long enough; else nothing."""
        full = self.ended or len(self._waiting) >= BATCH_LINES
        if not full and self._clock() < self._since + BATCH_SECONDS:
            return []
        batch, self._waiting = self._waiting[:BATCH_LINES], self._waiting[BATCH_LINES:]
        self._since = self._clock()
        return batch

    async def close(self) -> None:
        """Read no more."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})
        await self._source.aclose()
