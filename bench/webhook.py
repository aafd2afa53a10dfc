"""`webhook`: the worker's path from accepted events to recorded attempts, beside bare POST loops."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
from messaging.consume import MOST_MERGED, Received
from messaging.envelope import read
from messaging.slots import Slots
from messaging.topology import load_topology
from runtime.encrypt import new_key, read_keys
from runtime.merge import Merge
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.fresh_database import FreshDatabase
from testkit.receiver import new_secret
from uuid_utils.compat import uuid7
from webhook_worker.breakers import Breakers
from webhook_worker.bulkheads import Bulkheads
from webhook_worker.deliver import Deliverer
from webhook_worker.delivery import Delivery
from webhook_worker.endpoint import Endpoint, default_endpoint
from webhook_worker.endpoints import Endpoints
from webhook_worker.on_occurrence_due import accept, due_event, on_occurrence_due
from webhook_worker.open_transport import open_transport
from webhook_worker.post_webhook import post_webhook, signed_request
from webhook_worker.record_attempts import GATHER_SECONDS, record_attempts
from webhook_worker.webhook_body import webhook_body

from bench.figures import Report, alternate, compare
from bench.messages import due_messages
from bench.post_loops import (
    CONNECT_TIMEOUT,
    LOOPBACK,
    TIMEOUT,
    Course,
    post_with_aiohttp,
    post_with_pyreqwest,
)
from bench.scratch import SQL, TEMPLATE, TOPOLOGY_FILE, open_pool, scratch_postgres
from bench.sink_process import running_sink

LEASE = timedelta(seconds=45)
NO_OFFSET = timedelta(0)

Handle = Callable[[Slots, Sequence[Received]], Awaitable[None]]


async def run(*, quick: bool) -> Report:
    """Measure over 5,000 webhooks a round (1,000 when quick)."""
    posts, rounds = (1000, 1) if quick else (5000, 4)
    with running_sink() as sink:
        course = Course(
            sink=sink,
            endpoint=default_endpoint(sink.url, new_secret(), timeout=TIMEOUT),
            topology=load_topology(TOPOLOGY_FILE),
            posts=posts,
        )
        received = [
            Received(event_id=event_id, event=event, receipt="")
            for event_id, event in (read(message.body) for message in due_messages(course.topology, posts))
        ]
        requests = [signed(course.endpoint, one) for one in received]
        async with scratch_postgres() as server:
            rates = await alternate(
                rounds,
                {
                    "carillon": partial(deliver, course, server, received),
                    "aiohttp": partial(post_with_aiohttp, course, requests),
                    "pyreqwest": partial(post_with_pyreqwest, course, requests),
                },
            )
    note = f"{course.at_once} at once; the sink was busy {course.busiest:.0%} of the time at most"
    ours = rates["carillon"]
    return Report(
        figures=[
            compare(
                "webhooks posted and recorded",
                "POST/s",
                ours,
                "bare aiohttp loop",
                rates["aiohttp"],
                note=note,
            ),
            compare(
                "webhooks posted and recorded",
                "POST/s",
                ours,
                "bare loop over the same transport (pyreqwest)",
                rates["pyreqwest"],
                note="the peers sign nothing and record nothing",
            ),
        ],
        sizes={"posts": posts, "atOnce": course.at_once, "rounds": rounds},
    )


async def deliver(course: Course, server: EmbeddedPostgres, received: Sequence[Received]) -> float:
    """Accept, post and record as the worker does, in batches of as many as have a free slot."""
    async with (
        FreshDatabase(server, "delivered", template=TEMPLATE) as database,
        open_pool(database.url("carillon_webhook_worker")) as pool,
        open_transport(opened=LOOPBACK, connect_timeout=CONNECT_TIMEOUT, timeout=TIMEOUT) as transport,
    ):
        record = Merge(
            partial(record_attempts, pool, course.topology, NO_OFFSET), gather_seconds=GATHER_SECONDS
        )
        breakers = Breakers()
        post = breakers.watch(partial(post_webhook, transport))
        take = partial(accept, pool, course.topology, course.endpoint.id, NO_OFFSET, LEASE)
        deliverer = Deliverer(post, record.put)
        endpoints = Endpoints(pool, read_keys(new_key("bench")), course.endpoint, most_time=TIMEOUT)
        bulkheads = Bulkheads(pool, endpoints, breakers, deliverer.start)
        feeding = feed(course, partial(on_occurrence_due, take, bulkheads.admit), deliverer, received)
        rate = await course.timed(feeding)
        left = await (await database.connect()).fetchrow(SQL["count_delivered"])
        assert tuple(left or ()) == (course.posts,) * 4, left
        return rate


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


def signed(endpoint: Endpoint, received: Received) -> httpx.Request:
    """Return the request that the worker would send, for the peers to send as it is."""
    now = datetime.now(UTC)
    delivery = Delivery(
        id=uuid7(),
        created_at=now,
        event_id=received.event_id,
        endpoint_id=endpoint.id,
        endpoint_version=endpoint.version,
        attempt=1,
        lease_token=uuid7(),
        body=webhook_body(received.event_id, due_event(received)),
    )
    return signed_request(endpoint, delivery, now)
