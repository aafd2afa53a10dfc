"""POST /endpoint/{id}/test: a worker posts a real, signed `endpoint.test`; what comes back is answered."""

import asyncio
import time
from typing import Annotated
from uuid import UUID

import asyncpg
from msgspec import Meta, Struct
from runtime.statements import Statements
from uuid_utils.compat import uuid7

from user_api.context import Context
from user_api.endpoint_row import find_endpoint
from user_api.refusals import TestNotMadeError

SQL = Statements("user_api")

# The worker takes a test within five seconds or never, and waits for an answer for at most twenty.
TAKEN_WITHIN_SECONDS = 6.0
ENDED_WITHIN_SECONDS = 25.0
LOOK_EVERY_SECONDS = 0.05


class EndpointTestAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """What came back from an endpoint."""

    status: Annotated[int | None, Meta(description="The HTTP status; null where there was no answer.")]
    latency_ms: Annotated[
        float | None, Meta(description="Until there was a status, or surely none; null if nothing was sent.")
    ]
    body: Annotated[str | None, Meta(description="The first 1,024 bytes of the answer, as text.")]
    error: Annotated[str | None, Meta(description="Why there was no answer.")]


async def try_endpoint(context: Context, endpoint_id: UUID) -> EndpointTestAnswer:
    """Have an endpoint tested and wait for what comes back. Raises UnknownEndpointError, TestNotMadeError.

    Apart from a transaction that the request may hold: the worker has to see it before we answer.
    """
    test_id = uuid7()
    async with context.apart() as connection:
        await find_endpoint(connection, endpoint_id)
        await connection.execute(SQL["request_endpoint_test"], test_id, endpoint_id)
    started = time.monotonic()
    while True:
        async with context.apart() as connection:
            row = await connection.fetchrow(SQL["find_endpoint_test"], test_id)
        waited = time.monotonic() - started
        if row is not None and row["ended_at"] is not None:
            return answer_of(row)
        is_taken = row is not None and row["taken_at"] is not None
        if waited > (ENDED_WITHIN_SECONDS if is_taken else TAKEN_WITHIN_SECONDS):
            raise TestNotMadeError
        await asyncio.sleep(LOOK_EVERY_SECONDS)


def answer_of(row: asyncpg.Record) -> EndpointTestAnswer:
    """Give the answer that tells of a row of delivery.api_endpoint_tests."""
    latency_ms = row["latency_ms"]
    return EndpointTestAnswer(
        status=row["status"],
        latency_ms=None if latency_ms is None else round(latency_ms, 1),
        body=row["body"],
        error=row["error"],
    )
