"""Testing endpoints: a signed `endpoint.test` is posted once, by the way that every webhook takes."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import structlog
from messaging.slots import Slots
from msgspec import structs
from runtime.database import Pool
from runtime.statements import Statements
from runtime.stopping import Stop, describe, pause

from webhook_worker.append_attempts import error_of, status_of
from webhook_worker.delivery import Attempt, Delivery
from webhook_worker.endpoint import Endpoint
from webhook_worker.endpoints import Endpoints
from webhook_worker.webhook_body import endpoint_test_body

log = structlog.get_logger()

SQL = Statements("webhook_worker")

Post = Callable[[Endpoint, Delivery], Awaitable[Attempt]]

# Somebody waits at the API: so long for a test to be taken, and MOST_TIME and a little for its answer.
LOOK_EVERY_SECONDS = 0.2
TAKEN_WITHIN = timedelta(seconds=5)
MOST_TIME = timedelta(seconds=20)
MOST_AT_ONCE = 5
NOT_READABLE = "it was removed, or what it keeps secret cannot be decrypted here"


async def make_endpoint_tests(
    pool: Pool, endpoints: Endpoints, post: Post, offset: timedelta, stop: Stop
) -> None:
    """Make the tests that are asked for until `stop` is set, side by side; then end those under way.

    Neither bulkhead nor breaker has a say: a test is asked for to find out, a disabled endpoint's too.
    """
    slots = Slots(MOST_AT_ONCE)
    async with asyncio.TaskGroup() as under_way:
        while not stop.is_set():
            free = await slots.reserve(MOST_AT_ONCE)
            rows: list[asyncpg.Record] = []
            try:
                rows = await pool.fetch(SQL["take_endpoint_tests"], free, TAKEN_WITHIN)
            finally:
                slots.release(free - len(rows))
            for row in rows:
                test = under_way.create_task(make_test(pool, endpoints, post, offset, row))
                test.add_done_callback(lambda _: slots.release())
            await pause(stop, LOOK_EVERY_SECONDS)


async def make_test(
    pool: Pool, endpoints: Endpoints, post: Post, offset: timedelta, row: asyncpg.Record
) -> None:
    """Make one test and store what came back. Raises nothing: the API tells that nothing came."""
    try:
        await endpoints.refresh()
        endpoint = endpoints.get(row["endpoint_id"])
        if endpoint is None:
            await pool.execute(SQL["end_endpoint_test"], row["id"], None, None, NOT_READABLE, None)
            return
        attempt = await post(
            structs.replace(endpoint, timeout=min(endpoint.timeout, MOST_TIME)),
            delivery_of(row, endpoint, offset),
        )
        await pool.execute(
            SQL["end_endpoint_test"],
            row["id"],
            status_of(attempt),
            attempt.latency_ms,
            error_of(attempt),
            attempt.answer and attempt.answer.body,
        )
        log.info("endpoint.tested", endpoint_id=str(endpoint.id), status=status_of(attempt))
    except Exception as error:  # noqa: BLE001 (one test must not end the others)
        log.warning("endpoint.not_tested", endpoint_id=str(row["endpoint_id"]), error=describe(error))


def delivery_of(row: asyncpg.Record, endpoint: Endpoint, offset: timedelta) -> Delivery:
    """Return what is posted: an event of its own, which is no user's and is tried once."""
    return Delivery(
        id=row["id"],
        created_at=row["requested_at"],
        event_id=row["id"],
        endpoint_id=endpoint.id,
        endpoint_version=endpoint.version,
        attempt=1,
        lease_token=row["id"],
        body=endpoint_test_body(row["id"], endpoint.id, row["requested_at"] + offset),
    )
