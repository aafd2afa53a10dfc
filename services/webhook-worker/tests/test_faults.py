"""What becomes of events when the way to their endpoint breaks: each arrives in the end, settled once."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from domain.events import Event, OccurrenceCompleted, OccurrenceFailed
from messaging.consume import Received
from testkit.fault_proxy import Cut, Fault, FaultProxy, Hang, Reset, Say, Slow
from testkit.receiver import Receiver, new_secret
from webhook_worker.endpoint import Endpoint, default_endpoint

Due = Callable[..., Received]
Work = Callable[..., Coroutine[Any, Any, None]]
Retry = Callable[[], Awaitable[int]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]
Told = Callable[[], Coroutine[Any, Any, list[tuple[UUID, Event]]]]

BUSY = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"
HUGE = b"HTTP/1.1 500 Oops\r\ncontent-length: 100000000\r\n\r\n" + b"x" * 1_000_000
SOONEST = timedelta(seconds=5)
WITHIN = timedelta(seconds=1)
LATEST = SOONEST * 1.1 + timedelta(seconds=3)  # of which the attempt itself takes one, on a busy machine more


@pytest.fixture
async def proxy(receiver: Receiver) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(receiver.port) as listening:
        yield listening


@pytest.fixture
def endpoint(proxy: FaultProxy, receiver: Receiver) -> Endpoint:
    return default_endpoint(proxy.url, receiver.secret, timeout=WITHIN)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Hang(), "timeout"),
        (Slow(0.2), "timeout"),
        (Cut(0), "connection lost"),
        (Cut(len("HTTP/1.1 20")), "connection lost"),
        (Reset(), "connection lost"),
        (Say(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "connection lost"),
        (Say(BUSY), "HTTP 503"),
        (Say(HUGE, 100), "HTTP 500"),
    ],
    ids=["hangs", "slow", "cut before", "cut within the status", "reset", "babble", "busy", "huge"],
)
async def test_what_breaks_on_the_way_is_tried_again_in_five_seconds_under_the_same_id(  # noqa: PLR0913, PLR0917 (fixtures)
    work: Work,
    retry: Retry,
    due: Due,
    receiver: Receiver,
    proxy: FaultProxy,
    deliveries: Rows,
    attempts: Rows,
    told: Told,
    fault: Fault,
    reason: str,
) -> None:
    ring = due()
    proxy.break_next([fault])

    await work(ring)
    [waiting] = await deliveries()
    first = await attempts()
    await retry()

    assert (waiting["status"], waiting["reason"]) == ("pending", reason)
    assert SOONEST <= waiting["next_attempt_at"] - first[0]["at"] <= LATEST
    assert [row["attempt"] for row in await attempts()] == [1, 2]
    assert [row["status"] for row in await deliveries()] == ["delivered"]
    assert {one.webhook_id for one in receiver.deliveries} == {str(ring.event_id)}
    assert [type(event) for _, event in await told()] == [OccurrenceCompleted]


async def test_a_200_whose_body_is_cut_is_delivered_and_does_not_ring_twice(
    work: Work, retry: Retry, due: Due, receiver: Receiver, proxy: FaultProxy, deliveries: Rows
) -> None:
    proxy.break_next([Say(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nnot all of it")])

    await work(due())

    assert await retry() == 0
    assert [row["status"] for row in await deliveries()] == ["delivered"]
    assert receiver.tally.received == 0


async def test_a_hundred_events_outlive_a_receiver_that_is_away_and_then_busy(
    work: Work, retry: Retry, due: Due, receiver: Receiver, proxy: FaultProxy, attempts: Rows, told: Told
) -> None:
    rings = [due() for _ in range(100)]
    await proxy.leave()
    await work(*rings)
    await proxy.come_back()
    receiver.reply_with([500, 503, 429])

    rounds = [await retry() for _ in range(6)]

    assert [row["error"] for row in await attempts()][:100] == ["connection failed"] * 100
    # The breaker has opened: one probe a time fails, the fourth arrives, and the others follow.
    assert rounds == [1, 1, 1, 1, 99, 0]
    assert receiver.tally.accepted == 100
    assert receiver.tally.duplicates == 0
    assert {one.webhook_id for one in receiver.deliveries} == {str(ring.event_id) for ring in rings}
    assert [type(event) for _, event in await told()] == [OccurrenceCompleted] * 100


class TestAtAForbiddenAddress:
    @pytest.fixture
    def endpoint(self, receiver: Receiver) -> Endpoint:
        return default_endpoint(f"http://[::ffff:10.0.0.1]:{receiver.port}/", new_secret(), timeout=WITHIN)

    async def test_the_first_attempt_is_the_last_and_its_reason_is_told(
        self, work: Work, retry: Retry, due: Due, deliveries: Rows, attempts: Rows, told: Told
    ) -> None:
        await work(due())

        reason = "address not allowed: private"
        assert await retry() == 0
        assert [(row["status"], row["reason"]) for row in await deliveries()] == [("failed", reason)]
        assert [(row["status"], row["error"]) for row in await attempts()] == [(None, reason)]
        [(_, failed)] = await told()
        assert isinstance(failed, OccurrenceFailed)
        assert failed.reason == reason
