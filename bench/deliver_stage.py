"""The worker's path from accepted events to recorded attempts, wired as it wires it, fed from memory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from domain.retry import Response
from messaging.consume import MOST_MERGED, Received
from messaging.slots import Slots
from runtime.encrypt import new_key, read_keys
from runtime.merge import Merge
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.fresh_database import FreshDatabase
from uuid_utils.compat import uuid7
from webhook_worker.breakers import Breakers
from webhook_worker.bulkheads import Bulkheads
from webhook_worker.consumers import MERGE_SECONDS
from webhook_worker.deliver import Deliverer
from webhook_worker.delivery import Delivery
from webhook_worker.endpoint import Endpoint
from webhook_worker.endpoints import Endpoints
from webhook_worker.on_occurrence_due import accept, due_event, on_occurrence_due
from webhook_worker.open_transport import open_transport
from webhook_worker.post_webhook import post_webhook
from webhook_worker.record_attempts import GATHER_SECONDS, record_attempts
from webhook_worker.trace_attempts import trace_posts
from webhook_worker.webhook_body import webhook_body

from bench.post_loops import CONNECT_TIMEOUT, LOOPBACK, TIMEOUT, Course, post_all
from bench.scratch import SQL, TEMPLATE, open_pool

LEASE = timedelta(seconds=45)
NO_OFFSET = timedelta(0)

Handle = Callable[[Slots, Sequence[Received]], Awaitable[None]]


@asynccontextmanager
async def stage(course: Course, url: str, received: Sequence[Received]) -> AsyncIterator[Awaitable[None]]:
    """Give the course's events to be accepted, posted and recorded as the worker does, over a database."""
    async with (
        open_pool(url) as pool,
        open_transport(opened=LOOPBACK, connect_timeout=CONNECT_TIMEOUT, timeout=TIMEOUT) as transport,
    ):
        recording = partial(record_attempts, pool, course.topology, NO_OFFSET)
        record = Merge(recording, gather_seconds=GATHER_SECONDS)
        breakers = Breakers()
        post = breakers.watch(trace_posts(partial(post_webhook, transport)))
        take = partial(accept, pool, course.topology, lambda: course.endpoint.id, NO_OFFSET, LEASE)
        deliverer = Deliverer(post, record.put)
        endpoints = Endpoints(pool, read_keys(new_key("bench")), course.endpoint, most_time=TIMEOUT)
        bulkheads = Bulkheads(pool, endpoints, breakers, deliverer.start)
        yield feed(course, partial(on_occurrence_due, take, bulkheads.admit), deliverer, received)


@asynccontextmanager
async def delivered(course: Course, server: EmbeddedPostgres) -> AsyncIterator[FreshDatabase]:
    """Give a database in which all of the course's webhooks must be delivered at the end."""
    async with FreshDatabase(server, "delivered", template=TEMPLATE) as database:
        yield database
        left = await (await database.connect()).fetchrow(SQL["count_delivered"])
        assert tuple(left or ()) == (course.posts,) * 4, left


async def feed(course: Course, handle: Handle, deliverer: Deliverer, received: Sequence[Received]) -> None:
    """Hand over what the consumer would have received and merged; return when all is recorded."""
    slots = Slots(course.slots)
    start = 0
    while start < len(received):
        room = await slots.reserve(1)
        await asyncio.sleep(MERGE_SECONDS)
        room += await slots.reserve(MOST_MERGED - 1) if slots.free else 0
        batch = received[start : start + room]
        slots.release(room - len(batch))
        start += len(batch)
        await handle(slots, batch)
    await deliverer.finish(within=TIMEOUT.total_seconds())


def leased(endpoint: Endpoint, received: Received) -> Delivery:
    """Return the delivery that the worker would write and lease."""
    return Delivery(
        id=uuid7(),
        created_at=datetime.now(UTC),
        event_id=received.event_id,
        endpoint_id=endpoint.id,
        endpoint_version=endpoint.version,
        attempt=1,
        lease_token=uuid7(),
        body=webhook_body(received.event_id, due_event(received)),
    )


@asynccontextmanager
async def post_only(course: Course, deliveries: Sequence[Delivery]) -> AsyncIterator[Awaitable[None]]:
    """Give the POSTs to be signed and made as the worker does, their answers judged, and nothing recorded."""
    async with open_transport(opened=LOOPBACK, connect_timeout=CONNECT_TIMEOUT, timeout=TIMEOUT) as transport:

        async def post(delivery: Delivery) -> int:
            attempt = await post_webhook(transport, course.endpoint, delivery)
            return attempt.outcome.status if isinstance(attempt.outcome, Response) else 0

        yield post_all(deliveries, post)
