"""What becomes of events when the way to their endpoint breaks: each arrives in the end, settled once."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
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


ASKED = timedelta(minutes=10)


@pytest.mark.parametrize("status", ["429 Slow down", "503 Busy"])
@pytest.mark.parametrize("as_date", [False, True], ids=["seconds", "a date"])
async def test_retry_after_is_kept_to_as_seconds_and_as_a_date(
    work: Work,
    due: Due,
    proxy: FaultProxy,
    deliveries: Rows,
    attempts: Rows,
    status: str,
    as_date: bool,  # noqa: FBT001 (a case)
) -> None:
    asked = (
        format_datetime(datetime.now(UTC) + ASKED, usegmt=True)
        if as_date
        else str(int(ASKED.total_seconds()))
    )
    proxy.break_next(
        [Say(f"HTTP/1.1 {status}\r\nRetry-After: {asked}\r\nContent-Length: 0\r\n\r\n".encode())]
    )

    await work(due())

    [delivery], [attempt] = await deliveries(), await attempts()
    waits = delivery["next_attempt_at"] - attempt["at"]
    # A date says whole seconds.
    assert ASKED - timedelta(seconds=1) <= waits <= ASKED * 1.1 + timedelta(seconds=3)
    assert (delivery["status"], delivery["attempts"]) == ("pending", 1)


async def test_a_410_gives_up_at_once_and_is_told(
    work: Work, retry: Retry, due: Due, proxy: FaultProxy, deliveries: Rows, told: Told
) -> None:
    proxy.break_next([Say(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n")])

    await work(due())

    assert await retry() == 0
    assert [(row["status"], row["reason"]) for row in await deliveries()] == [("failed", "HTTP 410")]
    assert [type(event) for _, event in await told()] == [OccurrenceFailed]


class TestOverTls:
    """The endpoint is https; what answers there speaks no TLS, or shows what nobody trusts."""

    @pytest.fixture
    def endpoint(self, proxy: FaultProxy, receiver: Receiver) -> Endpoint:
        url = proxy.url.replace("http://", "https://")
        return default_endpoint(url, receiver.secret, timeout=WITHIN)

    @pytest.mark.parametrize(
        "fault", [None, Say(b"\x15\x03\x01\x00\x02\x02\x28"), Cut(0)], ids=["no TLS", "alert", "cut"]
    )
    async def test_bad_tls_is_tried_again_and_nothing_is_sent(
        self,
        work: Work,
        due: Due,
        proxy: FaultProxy,
        receiver: Receiver,
        deliveries: Rows,
        attempts: Rows,
        fault: Fault | None,
    ) -> None:
        proxy.break_next([fault] if fault else [])

        await work(due())

        [delivery], [attempt] = await deliveries(), await attempts()
        assert (delivery["status"], attempt["error_kind"]) == ("pending", "tls_failed")
        assert SOONEST <= delivery["next_attempt_at"] - attempt["at"] <= LATEST
        assert receiver.tally.received == 0


async def test_a_flood_of_5xx_opens_the_breaker_which_probes_by_schedule_and_closes_with_nothing_lost(  # noqa: PLR0913, PLR0917 (fixtures)
    work: Work,
    retry: Retry,
    due: Due,
    receiver: Receiver,
    proxy: FaultProxy,
    deliveries: Rows,
    attempts: Rows,
    told: Told,
) -> None:
    rings = [due() for _ in range(40)]
    proxy.break_next([Say(BUSY)] * 33)

    await work(*rings[:30])
    await work(*rings[30:])
    at_the_trip = [(row["status"], row["attempts"]) for row in await deliveries()]
    rounds = [await retry() for _ in range(6)]

    # The first thirty were under way together; of the others none was, nor has it spent an attempt.
    assert at_the_trip == [("pending", 1)] * 30 + [("pending", 0)] * 10
    assert rounds == [1, 1, 1, 1, 39, 0]
    by_delivery = Counter(row["delivery_id"] for row in await attempts())
    assert {row["id"]: row["attempts"] for row in await deliveries()} == by_delivery
    assert sum(by_delivery.values()) == 33 + 40
    assert receiver.tally.accepted == 40
    assert {one.webhook_id for one in receiver.deliveries} == {str(ring.event_id) for ring in rings}
    assert [type(event) for _, event in await told()] == [OccurrenceCompleted] * 40


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
