"""Merging: what many tasks ask for at once is done together, and each waits for its own result."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from opentelemetry import trace
from opentelemetry.context import attach, detach

from runtime.database import is_passing

T = TypeVar("T")
R = TypeVar("R")

MOST_MERGED = 500


class _Waiting(NamedTuple, Generic[T, R]):
    item: T
    done: asyncio.Future[R]
    span: trace.Span


class Merge(Generic[T, R]):
    """Hands items to `work` in batches of at most 500, one batch after the other.

    A batch holds what came while the one before was worked on, and in the `gather_seconds` after: with 0, an
    item that comes alone waits for nothing. `work` returns a result an item, in their order.
    """

    def __init__(
        self, work: Callable[[Sequence[T]], Awaitable[Sequence[R]]], *, gather_seconds: float = 0.0
    ) -> None:
        self._work = work
        self._gather_seconds = gather_seconds
        self._waiting: list[_Waiting[T, R]] = []
        self._working: asyncio.Task[None] | None = None

    async def put(self, item: T) -> R:
        """Return the item's result once its batch is done. Raises what `work` raised for it."""
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(item, done, trace.get_current_span()))
        if self._working is None:
            self._working = asyncio.create_task(self._work_off())
        return await done

    async def _work_off(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(self._gather_seconds)
                batch, self._waiting = self._waiting[:MOST_MERGED], self._waiting[MOST_MERGED:]
                await self._traced(batch)
        finally:
            self._working = None

    async def _traced(self, batch: Sequence[_Waiting[T, R]]) -> None:
        """Work within the span of the first item that is traced; those of the others are linked to it."""
        first, *others = [one.span for one in batch if one.span.is_recording()] or [batch[0].span]
        for span in others:
            span.add_link(first.get_span_context())
        token = attach(trace.set_span_in_context(first))
        try:
            await self._work_batch(batch)
        finally:
            detach(token)

    async def _work_batch(self, batch: Sequence[_Waiting[T, R]]) -> None:
        try:
            results = await self._work([one.item for one in batch])
        except Exception as error:  # noqa: BLE001 (handed to those who wait)
            if len(batch) > 1 and not is_passing(error):
                for one in batch:  # so that one which cannot be done does not take the others with it
                    await self._work_batch([one])
                return
            for one in batch:
                if not one.done.done():
                    one.done.set_exception(error)
        else:
            for one, result in zip(batch, results, strict=True):
                if not one.done.done():
                    one.done.set_result(result)
