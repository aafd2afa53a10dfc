"""Posting: one signed HTTP POST to an endpoint, judged by what came back and nothing else."""

import asyncio
import time
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus

import httpx
from domain.retry import Response, parse_retry_after
from runtime.telemetry import current_trace_id, trace_attributes

from webhook_worker.delivery import Answer, Attempt, Delivery
from webhook_worker.endpoint import Endpoint, signature
from webhook_worker.keep_answer import MOST_BODY_BYTES, kept_body, kept_headers
from webhook_worker.no_answer import no_answer
from webhook_worker.transport import RESOLVE_MS

# Enough to finish a decent answer and keep the connection; beyond either it is dropped.
MOST_RESPONSE_BYTES = 64 * 1024
MOST_READING_SECONDS = 1.0
USER_AGENT = "Carillon/0.1"
MOST_URLS_KEPT = 1000

# It takes twice as long as all else that makes a request.
parse_url = lru_cache(maxsize=MOST_URLS_KEPT)(httpx.URL)


async def post_webhook(
    transport: httpx.AsyncBaseTransport, endpoint: Endpoint, delivery: Delivery
) -> Attempt:
    """Sign and POST a delivery once; it is answered when a status came within its endpoint's timeout."""
    at = datetime.now(UTC)
    started = time.perf_counter()
    request: httpx.Request | None = None
    try:
        async with asyncio.timeout(endpoint.timeout.total_seconds()):
            request = signed_request(endpoint, delivery, at)
            response = await transport.handle_async_request(request)
    except Exception as error:  # noqa: BLE001 (not recorded it would not be counted, and be made for ever)
        latency_ms = milliseconds_since(started)
        outcome, answer = no_answer(error), None
    else:
        latency_ms = milliseconds_since(started)
        outcome, answer = what_decides(response, at), await finish_reading(response)
    return Attempt(
        delivery=delivery,
        at=at,
        outcome=outcome,
        latency_ms=latency_ms,
        resolve_ms=request.extensions.get(RESOLVE_MS) if request else None,
        answer=answer,
        trace_id=current_trace_id(),
    )


def signed_request(endpoint: Endpoint, delivery: Delivery, at: datetime) -> httpx.Request:
    """Return the POST with its endpoint's headers and those of Standard Webhooks, the id the same each time.

    `at` must be in UTC: the library mis-signs other zones.
    """
    webhook_id = str(delivery.event_id)
    request = httpx.Request(
        "POST",
        parse_url(endpoint.url),
        headers={
            **endpoint.headers,
            **trace_attributes(),
            "content-type": "application/json",
            "user-agent": USER_AGENT,
            "idempotency-key": webhook_id,
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature(endpoint, webhook_id, at, delivery.body),
        },
        # As a stream: from `content` httpx makes headers that the client under it makes again (9 of 20 µs).
        stream=httpx.ByteStream(delivery.body.encode()),
    )
    request.read()
    return request


def what_decides(response: httpx.Response, now: datetime) -> Response:
    """Return the status, and Retry-After."""
    retry_after = response.headers.get("retry-after")
    return Response(response.status_code, parse_retry_after(retry_after, now) if retry_after else None)


async def finish_reading(response: httpx.Response) -> Answer:
    """Read the rest of an answer, at most 64 KiB and 1 s of it, so that its connection can serve again.

    The status has decided: a body that is cut off or slow costs the connection, not a second ring.
    """
    started = time.perf_counter()
    start, read = b"", 0
    with suppress(Exception):
        if has_no_body(response):
            await response.aclose()
        else:
            async with asyncio.timeout(MOST_READING_SECONDS), aclosing(response):
                async for chunk in response.aiter_raw():
                    start += chunk[: MOST_BODY_BYTES - len(start)]
                    read += len(chunk)
                    if read > MOST_RESPONSE_BYTES:
                        break
    return Answer(
        headers=kept_headers(response.headers),
        body=kept_body(start, whole=len(start) == read),
        read_ms=milliseconds_since(started),
    )


def has_no_body(response: httpx.Response) -> bool:
    """Tell whether the head says so (RFC 9112 §6.3): there is nothing to wait for."""
    return response.status_code == HTTPStatus.NO_CONTENT or response.headers.get("content-length") == "0"


def milliseconds_since(started: float) -> float:
    """Return how long it is since `time.perf_counter` said so."""
    return (time.perf_counter() - started) * 1000
