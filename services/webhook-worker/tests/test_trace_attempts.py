"""An attempt belongs to its event's trace, whichever worker makes it and however much later."""

from collections.abc import Callable, Coroutine, Iterator
from datetime import timedelta
from typing import Any

import pytest
from domain.retry import Response
from messaging.received import Received
from msgspec.structs import replace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace import TracerProvider as Sdk
from opentelemetry.trace import SpanContext, StatusCode, TraceFlags
from runtime.active_tracing import Tracing, activate
from runtime.database import Connection, Pool
from runtime.start_spans import Provider
from webhook_worker.delivery import Attempt, Delivery
from webhook_worker.endpoint import DEFAULT_ENDPOINT_ID, Endpoint
from webhook_worker.retry_due import lease_due
from webhook_worker.trace_attempts import attempting, trace_posts

TRACE = 0xAF7651916CD43DD8448EB211C80319C
MADE_IN = SpanContext(TRACE, 0xB7, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


class Kept(SpanProcessor):
    def __init__(self) -> None:
        self.spans: dict[str, ReadableSpan] = {}

    def on_end(self, span: ReadableSpan) -> None:
        self.spans[span.name] = span


@pytest.fixture
def kept() -> Iterator[Kept]:
    ended = Kept()
    tracer = Provider(Sdk(shutdown_on_exit=False), ended).get_tracer("carillon")
    with activate(Tracing(tracer=tracer, environment="test")):
        yield ended


async def test_a_retry_goes_on_with_the_trace_that_its_event_came_with(
    take: Callable[..., Coroutine[Any, Any, list[Delivery]]],
    due: Callable[..., Received],
    pool: Pool,
    admin: Connection,
    endpoint: Endpoint,
    kept: Kept,
) -> None:
    await take(replace(due(), parent=MADE_IN))
    await admin.execute("UPDATE delivery.deliveries SET next_attempt_at = now(), attempts = 2")
    [retried] = await lease_due(pool, {DEFAULT_ENDPOINT_ID: 1}, most=1, lease=timedelta(seconds=45))

    async def refuse(_: Endpoint, delivery: Delivery) -> Attempt:
        return Attempt(delivery=delivery, at=delivery.created_at, outcome=Response(503), latency_ms=1)

    with attempting(retried):
        attempt = await trace_posts(refuse)(endpoint, retried)

    span, post = kept.spans["attempt"], kept.spans["POST"]
    assert span.parent == MADE_IN
    assert post.parent == span.context == attempt.span
    assert post.status.status_code is StatusCode.ERROR
    told = dict(post.attributes or {})
    assert (told["error.type"], told["http.request.resend_count"]) == ("503", 2)
    assert endpoint.url not in str(told)
