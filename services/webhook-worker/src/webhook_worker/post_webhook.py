"""Posting: one signed HTTP POST to an endpoint, judged by what came back and nothing else."""

import asyncio
import time
from contextlib import aclosing, suppress
from datetime import UTC, datetime

import httpx
from domain.retry import Forbidden, NoResponse, Outcome, Response, parse_retry_after
from pyreqwest.exceptions import ConnectError, ConnectTimeoutError, PyreqwestError
from runtime.stopping import describe

from webhook_worker.delivery import Attempt, Delivery
from webhook_worker.endpoint import Endpoint, signature
from webhook_worker.transport import ForbiddenUrlError, UnresolvedHostError, never_connected

# Enough to finish a decent answer and keep the connection; beyond either it is dropped.
MOST_RESPONSE_BYTES = 64 * 1024
MOST_READING_SECONDS = 1.0
USER_AGENT = "Carillon/0.1"


async def post_webhook(
    transport: httpx.AsyncBaseTransport, endpoint: Endpoint, delivery: Delivery
) -> Attempt:
    """Sign and POST a delivery once; it is answered when a status came within its endpoint's timeout."""
    at = datetime.now(UTC)
    started = time.perf_counter()
    try:
        async with asyncio.timeout(endpoint.timeout.total_seconds()):
            response = await transport.handle_async_request(signed_request(endpoint, delivery, at))
    except Exception as error:  # noqa: BLE001 (not recorded it would not be counted, and be made for ever)
        latency_ms = (time.perf_counter() - started) * 1000
        return Attempt(delivery=delivery, at=at, outcome=unanswered(error), latency_ms=latency_ms)
    latency_ms = (time.perf_counter() - started) * 1000
    await finish_reading(response)
    return Attempt(delivery=delivery, at=at, outcome=answer(response, at), latency_ms=latency_ms)


def signed_request(endpoint: Endpoint, delivery: Delivery, at: datetime) -> httpx.Request:
    """Return the POST with its endpoint's headers and those of Standard Webhooks, the id the same each time.

    `at` must be in UTC: the library mis-signs other zones.
    """
    webhook_id = str(delivery.event_id)
    return httpx.Request(
        "POST",
        endpoint.url,
        headers={
            **endpoint.headers,
            "content-type": "application/json",
            "user-agent": USER_AGENT,
            "idempotency-key": webhook_id,
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature(endpoint, webhook_id, at, delivery.body),
        },
        content=delivery.body.encode(),
    )


def unanswered(error: Exception) -> Outcome:
    """Return why there was no answer, and whether there never can be one."""
    if isinstance(error, ForbiddenUrlError) and error.for_good:
        return Forbidden(str(error))
    return NoResponse(in_a_few_words(error))


def in_a_few_words(error: Exception) -> str:
    """Return what went wrong, by its kind."""
    match error:
        case ConnectTimeoutError():
            return "connect timeout"
        case TimeoutError():
            return "timeout"
        case ConnectError() if never_connected(error):
            return "connection failed"
        case PyreqwestError():
            return "connection lost"
        case ForbiddenUrlError() | UnresolvedHostError():
            return str(error)
        case _:
            return describe(error)


def answer(response: httpx.Response, now: datetime) -> Response:
    """Return what decides: the status, and Retry-After."""
    retry_after = response.headers.get("retry-after")
    return Response(response.status_code, parse_retry_after(retry_after, now) if retry_after else None)


async def finish_reading(response: httpx.Response) -> None:
    """Read the rest of an answer, at most 64 KiB and 1 s of it, so that its connection can serve again.

    The status has decided: a body that is cut off or slow costs the connection, not a second ring.
    """
    with suppress(Exception):
        async with asyncio.timeout(MOST_READING_SECONDS), aclosing(response):
            read = 0
            async for chunk in response.aiter_raw():
                read += len(chunk)
                if read > MOST_RESPONSE_BYTES:
                    break
