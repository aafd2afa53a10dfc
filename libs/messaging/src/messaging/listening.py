"""Listening: what a loop over one queue has received, has in hand, is done with, or gives back."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial

import structlog
from msgspec import Struct
from runtime.database import is_passing
from runtime.stopping import Stop, backoff, describe, pause
from runtime.waiting import StoppedError, try_once
from types_aiobotocore_sqs.type_defs import MessageTypeDef

from messaging import queue as sqs
from messaging.heartbeats import Heartbeats
from messaging.queue import MOST_ENTRIES, POLL_SECONDS, OpenQueue
from messaging.remember_ids import RememberedIds

log = structlog.get_logger()

LONGEST_GIVEN_BACK = 900


class GivenBackError(Exception):
    """What ends an event that was not done: its transaction is rolled back by it."""


class InHand(Struct, frozen=True, eq=False):
    """The message whose event the loop's body has now, and what ends with it."""

    message: MessageTypeDef
    begun: AsyncExitStack


class Listening:
    """What was received and waits its turn, and the one message in hand; setting `stop` ends every loop."""

    def __init__(self, queue: OpenQueue, stop: Stop) -> None:
        self.stop = stop
        self.name = queue.queue.name
        self.remembered = RememberedIds()
        self._queue = queue
        self._heartbeats = Heartbeats(queue)
        self._waiting: deque[MessageTypeDef] = deque()
        self._in_hand: InHand | None = None

    async def take(self) -> MessageTypeDef | None:
        """Wait for the next message; None once `stop` is set. While the broker is away it goes on asking."""
        failures = 0
        while not self.stop.is_set():
            if self._waiting:
                return self._waiting.popleft()
            try:
                received = partial(sqs.receive, self._queue, MOST_ENTRIES)
                self._waiting.extend(await try_once(received, self.stop, within=2 * POLL_SECONDS))
            except StoppedError:
                break
            except Exception as error:  # noqa: BLE001 (whatever it is, the next receive may do)
                failures += 1
                log.warning("receive.failed", queue=self.name, error=describe(error))
                await pause(self.stop, backoff(failures))
            self._heartbeats.hold(receipts(self._waiting))
        return None

    async def begin(
        self, message: MessageTypeDef, entering: Callable[[], AbstractAsyncContextManager[bool]]
    ) -> bool:
        """Have a message in hand, within what `entering` makes; return what that gives.

        While its database is away, wait; StoppedError once `stop` is set.
        """
        failures = 0
        while True:
            begun = AsyncExitStack()
            self._in_hand = InHand(message, begun)
            try:
                return await begun.enter_async_context(entering())
            except Exception as error:
                if not is_passing(error):
                    raise
                failures += 1
                log.warning("event.waits", queue=self.name, error=describe(error))
            if self.stop.is_set():
                raise StoppedError
            await pause(self.stop, backoff(failures))

    async def done(self) -> None:
        """Commit what the message in hand began, and delete it; give it back where that cannot be."""
        in_hand, self._in_hand = self._in_hand, None
        if in_hand is None:
            return
        try:
            await in_hand.begun.aclose()
        except Exception as error:
            await self._give_back(in_hand.message)
            if not is_passing(error):
                raise
            log.warning("event.not_committed", queue=self.name, error=describe(error))
        else:
            await self.delete(in_hand.message)

    async def give_back(self) -> None:
        """Undo what the message in hand began, and leave it to come again, a little later each time."""
        in_hand, self._in_hand = self._in_hand, None
        if in_hand is None:
            return
        undone = GivenBackError("the loop's body did not come back for the next event")
        try:
            await in_hand.begun.__aexit__(GivenBackError, undone, None)
        except Exception as error:  # noqa: BLE001 (a transaction whose database is gone is rolled back)
            if error is not undone:
                log.warning("event.not_undone", queue=self.name, error=describe(error))
        await self._give_back(in_hand.message)

    async def delete(self, message: MessageTypeDef) -> None:
        """Delete a message; one that cannot be deleted comes again."""
        self._heartbeats.let_go(receipts([message]))
        try:
            await sqs.delete(self._queue, receipts([message]))
        except Exception as error:  # noqa: BLE001 (done is done: it comes again and is known by its id)
            log.warning("event.not_deleted", queue=self.name, error=describe(error))

    async def dead_letter(self, message: MessageTypeDef, reason: str) -> None:
        """Dead-letter a message that nobody can read; one that cannot be moved comes again."""
        self._heartbeats.let_go(receipts([message]))
        try:
            await sqs.dead_letter(self._queue, message, reason)
        except Exception as error:  # noqa: BLE001 (it comes again, and is moved then)
            log.warning("event.not_dead_lettered", queue=self.name, error=describe(error))

    async def _give_back(self, message: MessageTypeDef) -> None:
        receives = int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1))
        await self._hide([message], comes_again_in(receives))

    async def _hide(self, messages: Sequence[MessageTypeDef], seconds: int) -> None:
        self._heartbeats.let_go(receipts(messages))
        try:
            await sqs.hide_for(self._queue, receipts(messages), seconds)
        except Exception as error:  # noqa: BLE001 (its visibility runs out)
            log.warning("event.not_given_back", queue=self.name, error=describe(error))

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Keep what is in hand from others while the context is open; then give back what is not done."""
        beating = asyncio.create_task(self._heartbeats.run())
        try:
            yield
        finally:
            await self.give_back()
            await self._hide(self._waiting, 0)
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)


def comes_again_in(receives: int) -> int:
    """Return in how many seconds a message that was received so often comes again: 1, 4, 16, 64, 256, 900."""
    return int(min(4 ** (receives - 1), LONGEST_GIVEN_BACK))


def receipts(messages: Sequence[MessageTypeDef] | deque[MessageTypeDef]) -> list[str]:
    """Return the receipts of messages, by which they are deleted and given back."""
    return [message["ReceiptHandle"] for message in messages]
