"""The worker's path from accepted events to recorded attempts, wired as it wires it, fed from memory."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from domain.retry import Response
from messaging.consume import MOST_MERGED, Received
from messaging.slots import Slots
from msgspec import structs
from runtime.encrypt import new_key, read_keys
from runtime.merge import Merge
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.fresh_database import FreshDatabase
from uuid_utils.compat import uuid7
from webhook_worker.breakers import Breakers
from webhook_worker.bulkheads import Bulkheads
from webhook_worker.deliver import Deliverer
from webhook_worker.delivery import Delivery
from webhook_worker.endpoint import Endpoint
from webhook_worker.endpoints import Endpoints
from webhook_worker.on_occurrence_due import accept, due_event, on_occurrence_due
from webhook_worker.open_transport import open_transport
from webhook_worker.post_webhook import post_webhook
from webhook_worker.record_attempts import record_attempts
from webhook_worker.trace_attempts import trace_posts
from webhook_worker.webhook_body import webhook_body

from bench.cpu import cpu_seconds_with_children
from bench.post_loops import CONNECT_TIMEOUT, LOOPBACK, TIMEOUT, Course, Posted, post_all
from bench.scratch import SQL, TEMPLATE, open_pool

LEASE = timedelta(seconds=45)
NO_OFFSET = timedelta(0)

Handle = Callable[[Slots, Sequence[Received]], Awaitable[None]]


async def deliver(course: Course, server: EmbeddedPostgres, received: Sequence[Received]) -> Posted:
    """Accept, post and record as the worker does, in batches of as many as have a free slot."""
    async with (
        FreshDatabase(server, "delivered", template=TEMPLATE) as database,
        open_pool(database.url("carillon_webhook_worker")) as pool,
        open_transport(opened=LOOPBACK, connect_timeout=CONNECT_TIMEOUT, timeout=TIMEOUT) as transport,
    ):
        record = Merge(partial(record_attempts, pool, course.topology, NO_OFFSET))
        breakers = Breakers()
        post = breakers.watch(trace_posts(partial(post_webhook, transport)))
        take = partial(accept, pool, course.topology, lambda: course.endpoint.id, NO_OFFSET, LEASE)
        deliverer = Deliverer(post, record.put)
        endpoints = Endpoints(pool, read_keys(new_key("bench")), course.endpoint, most_time=TIMEOUT)
        bulkheads = Bulkheads(pool, endpoints, breakers, deliverer.start)
        feeding = feed(course, partial(on_occurrence_due, take, bulkheads.admit), deliverer, received)
        before = cpu_seconds_with_children(server.pid or 0) or 0.0
        posted = await course.timed(feeding)
        database_cpu = (cpu_seconds_with_children(server.pid or 0) or 0.0) - before
        left = await (await database.connect()).fetchrow(SQL["count_delivered"])
        assert tuple(left or ()) == (course.posts,) * 4, left
        return structs.replace(posted, database_cpu_ms=database_cpu / course.posts * 1000)


async def feed(course: Course, handle: Handle, deliverer: Deliverer, received: Sequence[Received]) -> None:
    """Hand over what the consumer would have received, a slot an event; return when all is recorded."""
    slots = Slots(course.at_once)
    start = 0
    while start < len(received):
        room = await slots.reserve(MOST_MERGED)
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


async def post_only(course: Course, deliveries: Sequence[Delivery]) -> Posted:
    """Sign and POST them as the worker does, judge the answers, and record nothing."""
    async with open_transport(opened=LOOPBACK, connect_timeout=CONNECT_TIMEOUT, timeout=TIMEOUT) as transport:

        async def post(delivery: Delivery) -> int:
            attempt = await post_webhook(transport, course.endpoint, delivery)
            return attempt.outcome.status if isinstance(attempt.outcome, Response) else 0

        return await course.timed(post_all(deliveries, post, course.at_once))
