"""`isolation`: how long webhooks to one endpoint take while another hangs on every call, or answers."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from uuid import uuid4

from messaging.consume import Received
from messaging.slots import Slots
from messaging.topology import Topology, load_topology
from runtime.encrypt import new_key, read_keys, secret_of
from runtime.merge import Merge
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.fresh_database import FreshDatabase
from testkit.ports import LOOPBACK as HERE
from testkit.receiver import new_secret
from testkit.wait import eventually
from webhook_worker.breakers import Breakers
from webhook_worker.bulkheads import Bulkheads
from webhook_worker.deliver import Deliverer
from webhook_worker.endpoints import Endpoints
from webhook_worker.on_occurrence_due import accept, on_occurrence_due
from webhook_worker.open_transport import open_transport
from webhook_worker.post_webhook import post_webhook
from webhook_worker.record_attempts import GATHER_SECONDS, record_attempts
from webhook_worker.retry_due import retry_due

from bench.deliver_stage import LEASE, NO_OFFSET, Handle
from bench.figures import Report, alternate, compare, percentile
from bench.messages import due_events
from bench.post_loops import CONNECT_TIMEOUT, LOOPBACK, QUEUE, TIMEOUT
from bench.scratch import SQL, TEMPLATE, TOPOLOGY_FILE, open_pool, scratch_postgres
from bench.sink_process import Sink, running_sink

PER_SECOND = 50
RETRY_SLOTS = 200
ARRIVES_WITHIN = 10.0


async def run(*, quick: bool) -> Report:
    """Measure over 1,000 webhooks a round (200 when quick), as many to the other endpoint."""
    count, rounds = (200, 1) if quick else (1000, 3)
    topology = load_topology(TOPOLOGY_FILE)
    with running_sink() as sink, running_sink() as other:
        async with scratch_postgres() as server, hanging() as silent:
            measure = partial(p99_beside, server, topology, sink, count)
            p99 = await alternate(
                rounds, {"answers": partial(measure, other.url), "hangs": partial(measure, silent)}
            )
    return Report(
        figures=[
            compare(
                "received to arrived, p99, beside an endpoint that hangs for 30 s on every call",
                "ms",
                p99["hangs"],
                "beside one that answers",
                p99["answers"],
                goal="<= 1.10",
                note=f"{PER_SECOND} events/s, each to both endpoints",
            )
        ],
        sizes={"events": count, "perSecond": PER_SECOND, "rounds": rounds},
    )


@asynccontextmanager
async def hanging() -> AsyncIterator[str]:
    """Take connections and requests and never answer; give the URL."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            pass
        writer.close()

    server = await asyncio.start_server(take, HERE, 0, backlog=1024)
    async with server:
        yield f"http://{HERE}:{server.sockets[0].getsockname()[1]}/webhook"


async def p99_beside(server: EmbeddedPostgres, topology: Topology, sink: Sink, count: int, url: str) -> float:
    """Return the milliseconds within which 99 in 100 reach the sink, while all go to `url` as well."""
    keys = read_keys(new_key("bench"))
    async with (
        FreshDatabase(server, "isolated", template=TEMPLATE) as database,
        open_pool(database.url("carillon_webhook_worker")) as pool,
        open_transport(opened=LOOPBACK, connect_timeout=CONNECT_TIMEOUT, timeout=TIMEOUT) as transport,
    ):
        admin = await database.connect()
        for where in (sink.url, url):
            endpoint_id = uuid4()
            secret = keys.encrypt(new_secret().encode(), about=secret_of(endpoint_id))
            await admin.execute(SQL["register_endpoint"], endpoint_id, where, secret)
        endpoints = Endpoints(pool, keys, None, most_time=TIMEOUT)
        recording = partial(record_attempts, pool, topology, NO_OFFSET)
        breakers, record = Breakers(), Merge(recording, gather_seconds=GATHER_SECONDS)
        deliverer = Deliverer(breakers.watch(partial(post_webhook, transport)), record.put)
        bulkheads = Bulkheads(pool, endpoints, breakers, deliverer.start)
        take = partial(accept, pool, topology, endpoints.default_id, NO_OFFSET, LEASE)
        stop = asyncio.Event()
        retrying = asyncio.create_task(retry_due(pool, bulkheads, Slots(RETRY_SLOTS), stop, lease=LEASE))
        await endpoints.refresh()
        sink.forget()
        handle = partial(on_occurrence_due, take, bulkheads.admit)
        sent = await feed(handle, Slots(topology.queues[QUEUE].concurrency), due_events(topology, count))
        arrived = await arrivals(sink, count)
        stop.set()
        await retrying
        await deliverer.finish(within=0)
        assert arrived.keys() == sent.keys()
        return 1000 * percentile([arrived[one] - sent[one] for one in sent], 99)


async def feed(handle: Handle, slots: Slots, batch: Sequence[Received]) -> dict[str, float]:
    """Hand over one event after the other at their rate; return when each was due to be, since the epoch."""
    started, sent = time.time(), dict[str, float]()
    for number, one in enumerate(batch):
        sent[str(one.event_id)] = at = started + number / PER_SECOND
        await asyncio.sleep(max(0.0, at - time.time()))
        await slots.reserve(1)
        await handle(slots, [one])
    return sent


async def arrivals(sink: Sink, count: int) -> dict[str, float]:
    """Return when each webhook arrived, once all have."""
    await eventually(lambda: sink.tally().count >= count, within=ARRIVES_WITHIN)
    return dict(sink.receipts())
