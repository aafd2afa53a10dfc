"""Bulkheads: how many attempts an endpoint takes at once and a second, if any; the rest goes back unspent."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from runtime.database import Pool
from runtime.statements import Statements
from runtime.stopping import describe

from webhook_worker.breakers import Breakers
from webhook_worker.delivery import Delivery
from webhook_worker.endpoint import Endpoint
from webhook_worker.endpoints import Endpoints
from webhook_worker.pace import Pace

log = structlog.get_logger()

SQL = Statements("webhook_worker")

# What an endpoint without a limit of its own takes; the slots are fewer.
UNBOUNDED = 10_000
# One in so many of an endpoint's places is for first attempts alone: what falls due now does not wait behind
# what the endpoint has missed.
A_PLACE_KEPT_IN = 5

Start = Callable[[Endpoint, Delivery, Callable[[], None]], None]
Done = Callable[[Delivery], None]


class Bulkheads:
    """Admits leased deliveries to enabled endpoints that have room, first attempts and retries alike."""

    def __init__(self, pool: Pool, endpoints: Endpoints, breakers: Breakers, start: Start) -> None:
        self._pool = pool
        self._endpoints = endpoints
        self._breakers = breakers
        self._start = start
        self._under_way: Counter[UUID] = Counter()
        self._paces: dict[UUID, Pace] = {}
        # Those that could not take what there was for them; whoever leaves one of them sets `_freed`.
        self._full: set[UUID] = set()
        self._freed = asyncio.Event()

    def room(self) -> dict[UUID, int]:
        """Return how much of what waits each enabled endpoint takes now, without those that take none."""
        self._freed.clear()
        free = {
            endpoint.id: self._free(endpoint, kept=places_kept(endpoint))
            for endpoint in self._endpoints.enabled()
        }
        self._full = {endpoint_id for endpoint_id, count in free.items() if count <= 0}
        return {endpoint_id: count for endpoint_id, count in free.items() if count > 0}

    async def wait_for_room(self, seconds: float) -> None:
        """Wait until an endpoint that was full is so no longer, at most `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._freed.wait()
        except TimeoutError:
            return

    async def admit(self, deliveries: Sequence[Delivery], done: Done) -> int:
        """Start what its endpoint can take, put back the rest, and return how many were started.

        `done` is called for each delivery: when its attempt is answered or lost, or it could not be started.
        Raises nothing: what cannot be put back now is taken again when its lease ends.
        """
        await self._surely(self._endpoints.know(deliveries))
        refused = [delivery for delivery in deliveries if not self._admitted(delivery, done)]
        for delivery in refused:
            done(delivery)
        if refused:
            await self._surely(self._put_back(refused))
            self._freed.set()
        return len(deliveries) - len(refused)

    def _admitted(self, delivery: Delivery, done: Done) -> bool:
        endpoint = self._endpoints.get(delivery.endpoint_id)
        if endpoint is None or not endpoint.enabled:
            return False
        if self._free(endpoint) <= 0:
            self._full.add(endpoint.id)
            return False
        self._under_way[endpoint.id] += 1
        self._breakers.start(delivery)
        if endpoint.rate_limit is not None:
            self._pace(endpoint, endpoint.rate_limit).take()
        self._start(endpoint, delivery, partial(self._leave, delivery, done))
        return True

    def _free(self, endpoint: Endpoint, *, kept: int = 0) -> int:
        free = (endpoint.concurrency or UNBOUNDED) - self._under_way[endpoint.id] - kept
        most = self._breakers.most_admitted(endpoint.id)
        if most is not None:
            free = min(free, most)
        if endpoint.rate_limit is None:
            return free
        return min(free, self._pace(endpoint, endpoint.rate_limit).free(time.monotonic()))

    def _pace(self, endpoint: Endpoint, per_second: int) -> Pace:
        pace = self._paces.get(endpoint.id)
        if pace is None or pace.per_second != per_second:
            pace = self._paces[endpoint.id] = Pace(per_second, time.monotonic())
        return pace

    def _leave(self, delivery: Delivery, done: Done) -> None:
        self._under_way[delivery.endpoint_id] -= 1
        self._breakers.lose(delivery)
        if delivery.endpoint_id in self._full:
            self._freed.set()
        done(delivery)

    async def _put_back(self, refused: Sequence[Delivery]) -> None:
        await self._pool.execute(
            SQL["put_back"],
            [delivery.id for delivery in refused],
            [delivery.created_at for delivery in refused],
            [delivery.lease_token for delivery in refused],
        )

    async def _surely(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 (what was started must not be handled again)
            log.warning("deliveries.wait_for_their_lease", error=describe(error))


def places_kept(endpoint: Endpoint) -> int:
    """Return how many of an endpoint's places first attempts alone may take."""
    return (endpoint.concurrency or 0) // A_PLACE_KEPT_IN
