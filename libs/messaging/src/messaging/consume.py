"""Consuming: long polls merged into batches, each handled in one transaction, then deleted in batches."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog
from runtime.database import is_passing
from runtime.stopping import Stop, backoff, describe, keep_running, pause

from messaging import queue as sqs
from messaging.count_messages import count_messages
from messaging.heartbeats import Heartbeats
from messaging.queue import MOST_ENTRIES, OpenQueue
from messaging.received import Received, read_all
from messaging.report_handled import measure_handled, tell_failed
from messaging.slots import Slots
from messaging.trace_messages import processing

__all__ = ["MOST_UNDER_WAY", "Consumer", "Handle", "Received"]

log = structlog.get_logger()

MOST_MERGED = 500
# Without slots of its own, a queue is received from until so many wait or are being handled.
MOST_UNDER_WAY = 2 * MOST_MERGED
POLLERS = 2

Handle = Callable[[Sequence[Received]], Awaitable[None]]


class Consumer:
    """Receives from one queue and hands over merged batches; a batch handled is a batch deleted.

    `handle` commits before it returns. While the database is away a batch waits, kept from others by
    heartbeats; a message that fails for another reason is tried alone and left to the queue's redrive.
    With `slots`, messages are received for free ones only, and `handle` gives back a slot a message.
    """

    def __init__(
        self, queue: OpenQueue, handle: Handle, *, slots: Slots | None = None, merge_seconds: float = 0.02
    ) -> None:
        self._queue = queue
        self._slots = slots or Slots(MOST_UNDER_WAY)
        self._handle = handle if slots else giving_back(self._slots, handle)
        self._merge_seconds = merge_seconds
        # None marks the end. The slots bound it, so handing over never waits: a poller that is cancelled
        # while it waits would lose what it had received.
        self._arrived: asyncio.Queue[list[Received] | None] = asyncio.Queue()
        self._heartbeats = Heartbeats(queue)
        self._trouble: str | None = None

    async def check(self) -> None:
        """Raise ConnectionError when the last receive failed."""
        if self._trouble:
            raise ConnectionError(self._trouble)

    async def count(self, stop: Stop) -> None:
        """Count what the queue holds until `stop` is set."""
        await count_messages(self._queue, stop)

    async def run(self, stop: Stop) -> None:
        """Consume until `stop` is set; what was received by then is still handled."""
        name = f"receive {self._queue.queue.name}"
        pollers = [asyncio.create_task(keep_running(name, self._receive, stop)) for _ in range(POLLERS)]
        heart = asyncio.create_task(self._heartbeats.run())
        handling = asyncio.create_task(self._work(stop))
        try:
            await stop.wait()
            for poller in pollers:
                poller.cancel()
            await asyncio.gather(*pollers, return_exceptions=True)
            self._arrived.put_nowait(None)
            await handling
        finally:
            for task in (*pollers, handling, heart):
                task.cancel()
            await asyncio.gather(*pollers, handling, heart, return_exceptions=True)

    async def _receive(self, stop: Stop) -> None:
        while not stop.is_set():
            room = await self._slots.reserve(min(MOST_ENTRIES, self._queue.queue.batch))
            kept = 0
            try:
                messages = await sqs.receive(self._queue, room)
                self._trouble = None
                readable, unreadable = read_all(messages)
                self._heartbeats.hold(received.receipt for received in readable)
                kept = len(readable)
            except Exception as error:
                self._trouble = describe(error)
                raise
            finally:
                self._slots.release(room - kept)
            if readable:
                self._arrived.put_nowait(readable)
            for message, reason in unreadable:
                await sqs.dead_letter(self._queue, message, reason)

    async def _work(self, stop: Stop) -> None:
        while batch := await self._merged():
            await self._settle(batch, stop)

    async def _merged(self) -> list[Received]:
        """Return what has arrived, and what arrives within `merge_seconds`; empty at the end."""
        first = await self._arrived.get()
        batch = list(first or [])
        deadline = asyncio.get_running_loop().time() + self._merge_seconds
        while first is not None and len(batch) < MOST_MERGED:
            try:
                async with asyncio.timeout_at(deadline):
                    more = await self._arrived.get()
            except TimeoutError:
                break
            if more is None:
                self._arrived.put_nowait(None)
                break
            batch.extend(more)
        return batch

    async def _settle(self, batch: Sequence[Received], stop: Stop) -> None:
        with processing(self._queue.queue.name, batch):
            await self._handle_and_delete(batch, stop)

    async def _handle_and_delete(self, batch: Sequence[Received], stop: Stop) -> None:
        receipts = [received.receipt for received in batch]
        failures = 0
        try:
            while True:
                try:
                    started = time.perf_counter()
                    await self._handle(batch)
                    await self._delete(receipts)
                except Exception as error:  # noqa: BLE001 (whatever one message does, the rest goes on)
                    if not is_passing(error):
                        await self._apart(batch, error, stop)
                        return
                    failures += 1
                    log.warning("batch.waits", queue=self._queue.queue.name, error=describe(error))
                    if stop.is_set():
                        self._slots.release(len(batch))
                        return
                    await pause(stop, backoff(failures))
                else:
                    measure_handled(self._queue, len(batch), time.perf_counter() - started)
                    return
        finally:
            self._heartbeats.let_go(receipts)

    async def _apart(self, batch: Sequence[Received], error: Exception, stop: Stop) -> None:
        if len(batch) > 1:
            for received in batch:
                await self._settle([received], stop)
            return
        self._slots.release()
        tell_failed(self._queue, batch[0], error)

    async def _delete(self, receipts: Sequence[str]) -> None:
        try:
            await sqs.delete(self._queue, receipts)
        except Exception as error:  # noqa: BLE001 (handled is handled: it comes again and is known by its id)
            log.warning("batch.not_deleted", queue=self._queue.queue.name, error=describe(error))


def giving_back(slots: Slots, handle: Handle) -> Handle:
    """Return a `handle` that gives back a slot for each message it has handled."""

    async def handle_and_release(batch: Sequence[Received]) -> None:
        await handle(batch)
        slots.release(len(batch))

    return handle_and_release
