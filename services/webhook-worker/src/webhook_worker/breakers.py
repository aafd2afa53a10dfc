"""Breakers: an endpoint whose attempts mostly fail is left alone, but for a probe now and then."""

import time
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog
from domain.breaker import (
    Breaker,
    Closed,
    Open,
    Probing,
    after_attempt,
    after_loss,
    after_start,
    most_admitted,
)
from domain.retry import is_delivered, is_unsent
from runtime.metric_names import BREAKERS
from runtime.metrics import gauge

from webhook_worker.delivery import Attempt, Delivery
from webhook_worker.endpoint import Endpoint

log = structlog.get_logger()

Post = Callable[[Endpoint, Delivery], Awaitable[Attempt]]
CLOSED = Closed()


class Breakers:
    """Each endpoint's breaker as this worker sees it, by a monotonic clock (ADR 0032)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._breakers: dict[UUID, Breaker] = {}
        gauge(BREAKERS).labels("open").set_function(lambda: self._count(Open))
        gauge(BREAKERS).labels("probing").set_function(lambda: self._count(Probing))

    def most_admitted(self, endpoint_id: UUID) -> int | None:
        """Return how many attempts may start now; None is as many as there are."""
        return most_admitted(self._breakers.get(endpoint_id, CLOSED), self._clock())

    def start(self, delivery: Delivery) -> None:
        """Note that an attempt starts, which was admitted: it may be the probe."""
        self._set(delivery.endpoint_id, after_start(self._of(delivery), delivery.id))

    def watch(self, post: Post) -> Post:
        """Return `post`, of which each attempt is heard as soon as it ends, before it is recorded."""

        async def post_and_hear(endpoint: Endpoint, delivery: Delivery) -> Attempt:
            attempt = await post(endpoint, delivery)
            self.hear(attempt)
            return attempt

        return post_and_hear

    def hear(self, attempt: Attempt) -> None:
        """Judge the endpoint by an attempt that has ended, if that tells anything of it."""
        if is_unsent(attempt.outcome):
            return
        delivery, before = attempt.delivery, self._of(attempt.delivery)
        delivered = is_delivered(attempt.outcome)
        after = after_attempt(before, delivery.id, delivered=delivered, now=self._clock())
        self._set(delivery.endpoint_id, after)
        match before, after:
            case Closed(), Open():
                log.warning("breaker.opened", endpoint_id=str(delivery.endpoint_id))
            case Probing(), Closed():
                log.info("breaker.closed", endpoint_id=str(delivery.endpoint_id))
            case _:
                pass

    def lose(self, delivery: Delivery) -> None:
        """Note that an attempt is over, heard or not: a probe that told nothing makes way for another."""
        self._set(delivery.endpoint_id, after_loss(self._of(delivery), delivery.id, self._clock()))

    def _count(self, kind: type[Open | Probing]) -> int:
        return sum(isinstance(breaker, kind) for breaker in self._breakers.values())

    def _of(self, delivery: Delivery) -> Breaker:
        return self._breakers.get(delivery.endpoint_id, CLOSED)

    def _set(self, endpoint_id: UUID, breaker: Breaker) -> None:
        self._breakers[endpoint_id] = breaker
