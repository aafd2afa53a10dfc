"""Spans of attempts, each under its event, however old that is, and of the POST in it."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

import httpx
from domain.retry import Response
from msgspec.structs import replace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, get_current_span
from opentelemetry.util.types import AttributeValue
from runtime.active_tracing import active, parse_parent, span, under

from webhook_worker.delivery import Attempt, Delivery
from webhook_worker.endpoint import Endpoint

Post = Callable[[Endpoint, Delivery], Awaitable[Attempt]]

_FAILED = Status(StatusCode.ERROR)
_FIRST_FAILURE = 400


@contextmanager
def attempting(delivery: Delivery) -> Iterator[Span | None]:
    """Make an attempt, and record it, within a span of its event's trace."""
    if active() is None:
        yield None
        return
    attributes: dict[str, AttributeValue] = {
        "carillon.event.id": str(delivery.event_id),
        "carillon.endpoint.id": str(delivery.endpoint_id),
        "carillon.attempt": delivery.attempt,
    }
    with span("attempt", within=under(parse_parent(delivery.traceparent)), attributes=attributes) as attempt:
        yield attempt


def trace_posts(post: Post) -> Post:
    """Return `post`, within a span whose place goes to the endpoint as `traceparent`."""

    async def post_within(endpoint: Endpoint, delivery: Delivery) -> Attempt:
        if active() is None:
            return await post(endpoint, delivery)
        above = get_current_span().get_span_context()
        attributes = {"http.request.method": "POST", **_address(endpoint.url)}
        if delivery.attempt > 1:
            attributes["http.request.resend_count"] = delivery.attempt - 1
        with span("POST", kind=SpanKind.CLIENT, attributes=attributes) as posted:
            attempt = await post(endpoint, delivery)
            _conclude(posted, attempt)
        return replace(attempt, span=above)

    return post_within


def _conclude(posted: Span, attempt: Attempt) -> None:
    match attempt.outcome:
        case Response(status=status):
            posted.set_attribute("http.response.status_code", status)
            failure = str(status) if status >= _FIRST_FAILURE else None
        case unanswered:
            failure = getattr(unanswered, "kind", "not_allowed")
    if failure:
        posted.set_attribute("error.type", failure)
        posted.set_status(_FAILED)


@lru_cache(maxsize=256)
def _address(url: str) -> dict[str, AttributeValue]:
    """Return where a URL leads, without its path and query: partners put secrets there."""
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        return {}
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return {"server.address": parts.host, "server.port": port, "url.scheme": parts.scheme}
