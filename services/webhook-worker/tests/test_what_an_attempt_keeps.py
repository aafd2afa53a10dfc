from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, get_args

import asyncpg
import httpx
import msgspec
import pytest
from domain.retry import Failure, Forbidden, NoResponse, Response
from hypothesis import given
from hypothesis import strategies as st
from messaging.consume import Received
from opentelemetry import trace
from runtime.database import Pool
from testkit.fault_proxy import FaultProxy, Hang, Reset, Say
from testkit.receiver import Receiver
from webhook_worker.delivery import Answer, Attempt, Delivery
from webhook_worker.endpoint import Endpoint, default_endpoint
from webhook_worker.keep_answer import kept_body, kept_headers

Due = Callable[..., Received]
Work = Callable[..., Coroutine[Any, Any, None]]
Take = Callable[..., Coroutine[Any, Any, list[Delivery]]]
Record = Callable[..., Coroutine[Any, Any, None]]
Post = Callable[[Endpoint, Delivery], Coroutine[Any, Any, Attempt]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]

TRACE_ID = 0x4BF92F3577B34DA6A3CE929D0E0E4736


@pytest.fixture
async def proxy(receiver: Receiver) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(receiver.port) as listening:
        yield listening


class TestOverAFaultyLine:
    @pytest.fixture
    def endpoint(self, proxy: FaultProxy, receiver: Receiver, endpoint: Endpoint) -> Endpoint:
        return default_endpoint(proxy.url, receiver.secret, timeout=endpoint.timeout)

    async def test_an_answer_is_kept_with_its_headers_and_the_beginning_of_its_body(
        self, work: Work, due: Due, proxy: FaultProxy, attempts: Rows
    ) -> None:
        body = b"no \0 room \xff" + "é".encode() * 1000
        head = f"HTTP/1.1 503 Busy\r\nX-Request: 7\r\nContent-Length: {len(body)}\r\n\r\n"
        proxy.break_next([Say(head.encode() + body)])

        await work(due())

        [row] = await attempts()
        assert (row["status"], row["error"], row["error_kind"], row["trace_id"]) == (503, None, None, None)
        assert msgspec.json.decode(row["response_headers"]) == {
            "x-request": "7",
            "content-length": str(len(body)),
        }
        assert row["response_body"] == "no \ufffd room \ufffd" + "é" * 506  # 11 bytes, and 1,012 of 1,013
        assert 0 <= row["resolve_ms"] < row["latency_ms"] < 1000
        assert 0 < row["read_ms"] < 1000

    async def test_where_there_was_no_answer_the_kind_of_failure_is_kept_beside_its_words(
        self, work: Work, due: Due, proxy: FaultProxy, attempts: Rows
    ) -> None:
        proxy.break_next([Reset()])
        await work(due())
        proxy.break_next([Hang()])
        await work(due())
        await proxy.leave()
        await work(due())

        rows = await attempts()
        assert [(row["error_kind"], row["error"]) for row in rows] == [
            ("connection_lost", "connection lost"),
            ("timeout", "timeout"),
            ("connection_failed", "connection failed"),
        ]
        assert {(row["status"], row["read_ms"], row["response_headers"]) for row in rows} == {
            (None, None, None)
        }


async def test_every_kind_of_failure_that_is_an_attempts_own_can_be_kept(
    take: Take, due: Due, record: Record, attempts: Rows
) -> None:
    [delivery] = await take(due())
    at = datetime.now(UTC)
    outcomes: list[NoResponse | Forbidden] = [
        NoResponse(kind) for kind in get_args(Failure) if kind != "proxy_failed"
    ]
    outcomes.append(Forbidden("address not allowed: private"))

    await record(*(Attempt(delivery=delivery, at=at, outcome=outcome, latency_ms=1) for outcome in outcomes))

    assert {row["error"]: row["error_kind"] for row in await attempts()} == {
        outcome.reason: outcome.kind if isinstance(outcome, NoResponse) else "not_allowed"
        for outcome in outcomes
    }


async def test_an_attempt_within_a_trace_keeps_its_id(
    post: Post, endpoint: Endpoint, take: Take, due: Due
) -> None:
    [delivery] = await take(due())
    context = trace.SpanContext(TRACE_ID, span_id=1, is_remote=False)

    with trace.use_span(trace.NonRecordingSpan(context)):
        traced = await post(endpoint, delivery)

    assert traced.trace_id == f"{TRACE_ID:x}"


async def test_the_worker_may_forget_what_came_back_and_nothing_else(
    take: Take, due: Due, record: Record, pool: Pool, attempts: Rows
) -> None:
    [delivery] = await take(due())
    answer = Answer(headers='{"x": "y"}', body="Dear Ada", read_ms=1)
    at = datetime.now(UTC)
    await record(Attempt(delivery=delivery, at=at, outcome=Response(200), latency_ms=1, answer=answer))

    await pool.execute("UPDATE delivery.attempts SET response_headers = NULL, response_body = NULL")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute("UPDATE delivery.attempts SET status = 204")

    [row] = await attempts()
    assert (row["status"], row["response_headers"], row["response_body"]) == (200, None, None)


def test_headers_of_one_name_are_joined_in_their_order_and_sessions_are_not_kept() -> None:
    sent = [("Via", "one"), ("Set-Cookie", "session=secret"), ("X-Id", "7"), ("via", "two")]

    assert kept_headers(httpx.Headers(sent)) == '{"via":"one, two","x-id":"7"}'
    assert kept_headers(httpx.Headers([("Set-Cookie", "a=b")])) is None


def test_headers_beyond_four_thousand_characters_are_left_out_one_by_one() -> None:
    some = [(f"x-{number}", "v" * 1000) for number in range(10)]

    kept = msgspec.json.decode(kept_headers(httpx.Headers(some)) or "{}")

    assert list(kept) == ["x-0", "x-1", "x-2", "x-3"]


@given(st.binary(max_size=1024), st.booleans())
def test_whatever_bytes_a_body_begins_with_are_text_for_postgresql(start: bytes, whole: bool) -> None:  # noqa: FBT001
    text = kept_body(start, whole=whole) or ""

    assert "\0" not in text
    assert len(text) <= 1024
    assert text.encode().decode() == text
    assert not start or not whole or text


@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=300),
    st.integers(0, 9),
)
def test_a_body_that_is_text_is_kept_as_it_is_but_for_half_a_character_at_its_end(
    text: str, cut: int
) -> None:
    start = text.encode()[: len(text.encode()) - cut]

    assert kept_body(text.encode(), whole=True) == (text or None)
    assert text.startswith(kept_body(start, whole=False) or "")
