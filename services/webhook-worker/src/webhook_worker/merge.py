"""Merging: what many tasks want written is written together, and each waits for its own commit."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from runtime.database import is_passing

T = TypeVar("T")

MOST_MERGED = 500
MERGE_SECONDS = 0.02


class Merge(Generic[T]):
    """Hands items to `write` in batches of at most 500, gathered for 20 ms."""

    def __init__(self, write: Callable[[Sequence[T]], Awaitable[None]]) -> None:
        self._write = write
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def put(self, item: T) -> None:
        """Return when the batch with `item` is written. Raises what `write` raised for it."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_waiting())
        await written

    async def _write_waiting(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(MERGE_SECONDS)
                batch, self._waiting = self._waiting[:MOST_MERGED], self._waiting[MOST_MERGED:]
                await self._write_batch(batch)
        finally:
            self._writing = None

    async def _write_batch(self, batch: Sequence[tuple[T, asyncio.Future[None]]]) -> None:
        try:
            await self._write([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001 (handed to those who wait)
            if len(batch) > 1 and not is_passing(error):
                for one in batch:  # so that one which cannot be written does not take the others with it
                    await self._write_batch([one])
                return
            for _, written in batch:
                if not written.done():
                    written.set_exception(error)
        else:
            for _, written in batch:
                if not written.done():
                    written.set_result(None)
