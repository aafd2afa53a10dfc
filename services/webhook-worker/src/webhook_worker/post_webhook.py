"""Posting: one signed HTTP POST to an endpoint, judged by what came back and nothing else."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import httpx
from domain.retry import NoResponse, Outcome, Response, parse_retry_after
from pyreqwest.client import ClientBuilder
from pyreqwest.compatibility.httpx import HttpxTransport

from webhook_worker.delivery import Attempt, Delivery
from webhook_worker.endpoint import Endpoint

# Enough to finish a decent answer and keep the connection; beyond it the connection is dropped.
MOST_RESPONSE_BYTES = 64 * 1024
USER_AGENT = "Carillon/0.1"


def open_transport(*, connect_timeout: timedelta, timeout: timedelta) -> httpx.AsyncBaseTransport:
    """Return the transport for every POST: no redirects, no proxy of the environment, no decompression.

    httpx types are the seam; its own transport is ten times slower, and the client layer half as fast again.
    """
    client = (
        ClientBuilder()
        .connect_timeout(connect_timeout)
        .timeout(timeout)
        .follow_redirects(enable=False)
        .referer(enable=False)
        .no_proxy()
        .gzip(enable=False)
        .brotli(enable=False)
        .zstd(enable=False)
        .deflate(enable=False)
        .build()
    )
    return HttpxTransport(client)


async def post_webhook(
    transport: httpx.AsyncBaseTransport, endpoint: Endpoint, delivery: Delivery, *, within: timedelta
) -> Attempt:
    """Sign and POST a delivery once, in the time `within`, from connecting to the last byte read."""
    at = datetime.now(UTC)
    started = time.perf_counter()
    request = signed_request(endpoint, delivery, at)
    try:
        async with asyncio.timeout(within.total_seconds()):
            outcome = await exchange(transport, request, at)
    except (TimeoutError, httpx.TimeoutException) as error:
        outcome = NoResponse("connect timeout" if isinstance(error, httpx.ConnectTimeout) else "timeout")
    except httpx.RequestError as error:
        outcome = NoResponse(
            "connection failed" if isinstance(error, httpx.ConnectError) else "connection lost"
        )
    latency_ms = (time.perf_counter() - started) * 1000
    return Attempt(delivery=delivery, at=at, outcome=outcome, latency_ms=latency_ms)


def signed_request(endpoint: Endpoint, delivery: Delivery, at: datetime) -> httpx.Request:
    """Return the POST with its Standard Webhooks headers; the id is the same on every attempt.

    `at` must be in UTC: the library mis-signs other zones.
    """
    webhook_id = str(delivery.event_id)
    return httpx.Request(
        "POST",
        endpoint.url,
        headers={
            "content-type": "application/json",
            "user-agent": USER_AGENT,
            "idempotency-key": webhook_id,
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": endpoint.signer.sign(webhook_id, at, delivery.body),
        },
        content=delivery.body.encode(),
    )


async def exchange(transport: httpx.AsyncBaseTransport, request: httpx.Request, now: datetime) -> Outcome:
    """Send the request and read the answer, at most 64 KiB of it."""
    response = await transport.handle_async_request(request)
    try:
        read = 0
        async for chunk in response.aiter_raw():
            read += len(chunk)
            if read > MOST_RESPONSE_BYTES:
                break
    finally:
        await response.aclose()
    retry_after = response.headers.get("retry-after")
    return Response(response.status_code, parse_retry_after(retry_after, now) if retry_after else None)
