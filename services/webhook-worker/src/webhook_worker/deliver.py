"""Delivering: attempts under way side by side; a slot is free again when its answer has come."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog
from messaging.slots import Slots
from runtime.database import is_passing
from runtime.metric_names import UNDER_WAY
from runtime.metrics import measured
from runtime.stopping import backoff, describe

from webhook_worker.delivery import Attempt, Delivery
from webhook_worker.endpoint import Endpoint
from webhook_worker.trace_attempts import attempting

log = structlog.get_logger()

Post = Callable[[Endpoint, Delivery], Awaitable[Attempt]]
Record = Callable[[Attempt], Awaitable[object]]

# So many answers may wait to be recorded, which a worker that dies would ask for again; then slots are kept
# (ADR 0050).
MOST_UNRECORDED = 500


class Deliverer:
    """Makes and records attempts in tasks of their own; knows which are under way."""

    def __init__(self, post: Post, record: Record, *, most_unrecorded: int = MOST_UNRECORDED) -> None:
        self._post = post
        self._record = record
        self._unrecorded = Slots(most_unrecorded)
        self._under_way: dict[UUID, asyncio.Task[None]] = {}
        measured(UNDER_WAY, lambda: len(self._under_way))

    def start(self, endpoint: Endpoint, delivery: Delivery, done: Callable[[], None]) -> None:
        """Make one attempt at a leased delivery; `done` is called when its answer has come, or it is lost.

        A delivery still under way here, its lease outlived while the database was away, is not tried again.
        """
        if delivery.id in self._under_way:
            done()
            return
        task = asyncio.create_task(self._attempt(endpoint, delivery, done))
        self._under_way[delivery.id] = task
        task.add_done_callback(lambda _: self._under_way.pop(delivery.id))

    async def finish(self, *, within: float) -> None:
        """Wait `within` seconds for what is under way; the rest is cut off and tried after its lease ends."""
        if self._under_way:
            _, unfinished = await asyncio.wait(self._under_way.values(), timeout=within)
            if unfinished:
                log.warning("delivery.cut_off", attempts=len(unfinished), after_seconds=within)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    async def _attempt(self, endpoint: Endpoint, delivery: Delivery, done: Callable[[], None]) -> None:
        try:
            with attempting(delivery) as span:
                attempt = await self._answer(endpoint, delivery, done)
                try:
                    decision = await self._record_surely(attempt)
                finally:
                    self._unrecorded.release()
                if span is not None:
                    span.set_attribute("carillon.decision", type(decision).__name__)
        except Exception as error:
            log.error(  # noqa: TRY400 (the traceback is in exc_info)
                "delivery.attempt_lost",
                event_id=str(delivery.event_id),
                delivery_id=str(delivery.id),
                error=describe(error),
                exc_info=error,
            )

    async def _answer(self, endpoint: Endpoint, delivery: Delivery, done: Callable[[], None]) -> Attempt:
        """Make the attempt, and take it a place among those to be recorded before its slot is given back."""
        try:
            attempt = await self._post(endpoint, delivery)
            await self._unrecorded.reserve(1)
            return attempt
        finally:
            done()

    async def _record_surely(self, attempt: Attempt) -> object:
        """Record the attempt, waiting out a lost database until `finish`: forgetting it would ring twice."""
        failures = 0
        while True:
            try:
                return await self._record(attempt)
            except Exception as error:
                if not is_passing(error):
                    raise
                failures += 1
                await asyncio.sleep(backoff(failures))
