"""Heartbeats: messages in hand are kept from other consumers, however long they take."""

import asyncio
import time
from collections.abc import Iterable

import structlog
from runtime.stopping import describe

from messaging.queue import OpenQueue, hide_for

log = structlog.get_logger()


class Heartbeats:
    """Extends the visibility of what is held, each a third of it after it was received or extended."""

    def __init__(self, queue: OpenQueue) -> None:
        self._queue = queue
        # Receipt → when (monotonic) it must be extended next.
        self._held: dict[str, float] = {}

    def hold(self, receipts: Iterable[str]) -> None:
        """Keep messages that have just been received."""
        extend_at = time.monotonic() + self._queue.queue.visibility_seconds / 3
        self._held.update(dict.fromkeys(receipts, extend_at))

    def let_go(self, receipts: Iterable[str]) -> None:
        """Keep them no longer: they are deleted, given back, or left until their visibility runs out."""
        for receipt in receipts:
            self._held.pop(receipt, None)

    async def run(self) -> None:
        """Beat until cancelled."""
        visibility = self._queue.queue.visibility_seconds
        while True:
            await asyncio.sleep(visibility / 6)
            now = time.monotonic()
            old = [receipt for receipt, extend_at in self._held.items() if extend_at <= now]
            try:
                await hide_for(self._queue, old, visibility)
            except Exception as error:  # noqa: BLE001 (the next beat tries again)
                log.warning("heartbeat.failed", queue=self._queue.queue.name, error=describe(error))
                continue
            for receipt in self._held.keys() & set(old):
                self._held[receipt] = now + visibility / 3
