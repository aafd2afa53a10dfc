"""The course that webhooks are posted over, and the bare loops that post over it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import TypeVar

import aiohttp
import httpx
from messaging.topology import Topology, load_topology
from msgspec import Struct
from runtime.public_address import read_networks
from testkit.receiver import new_secret
from webhook_worker.endpoint import Endpoint, default_endpoint
from webhook_worker.open_transport import open_transport

from bench.scratch import TOPOLOGY_FILE
from bench.sink_process import Sink

T = TypeVar("T")
QUEUE = "webhook-critical"
ACCEPTED = 204
# The most favourable to the bare loop: 10,030 a second, with 70, 100 and 140 at once 9,610, 9,260 and 8,210.
LOOP_AT_ONCE = 50
TIMEOUT = timedelta(seconds=30)
CONNECT_TIMEOUT = timedelta(seconds=5)
LOOPBACK = read_networks("127.0.0.0/8")


class Posted(Struct, frozen=True, kw_only=True):
    """How fast a contender made its POSTs, and the CPU that each cost it and PostgreSQL."""

    per_second: float
    cpu_ms: float
    database_cpu_ms: float = 0.0


class Course(Struct, kw_only=True):
    """What all contenders run against; `busiest` is the largest share of a round that the sink computed."""

    sink: Sink
    endpoint: Endpoint
    topology: Topology
    posts: int
    busiest: float = 0.0

    @property
    def slots(self) -> int:
        """How many POSTs a worker may have under way: the slots of the queue that birthdays go through."""
        return self.topology.queues[QUEUE].concurrency

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Note how busy the sink is meanwhile; check that each of the POSTs came once."""
        self.sink.forget()
        cpu, started = self.sink.tally().cpu_seconds, time.perf_counter()
        yield
        seconds = time.perf_counter() - started
        self.busiest = max(self.busiest, (self.sink.tally().cpu_seconds - cpu) / seconds)
        receipts = self.sink.receipts()
        assert len({webhook_id for webhook_id, _ in receipts}) == len(receipts) == self.posts


def course_to(sink: Sink, posts: int) -> Course:
    """Return the course of so many POSTs to a sink, which is the one endpoint; its key is made up here."""
    return Course(
        sink=sink,
        endpoint=default_endpoint(sink.url, new_secret(), timeout=TIMEOUT),
        topology=load_topology(TOPOLOGY_FILE),
        posts=posts,
    )


@asynccontextmanager
async def aiohttp_loop(requests: Sequence[httpx.Request]) -> AsyncIterator[Awaitable[None]]:
    """Give the POSTs to be made with aiohttp."""
    sent = [(str(request.url), request.content, dict(request.headers)) for request in requests]
    connector = aiohttp.TCPConnector(limit=LOOP_AT_ONCE)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def post(request: tuple[str, bytes, dict[str, str]]) -> int:
            url, body, headers = request
            async with session.post(url, data=body, headers=headers) as response:
                await response.read()
                return response.status

        yield post_all(sent, post)


@asynccontextmanager
async def bare_loop(requests: Sequence[httpx.Request]) -> AsyncIterator[Awaitable[None]]:
    """Give the POSTs to be made through the worker's own transport, which takes requests of httpx's."""
    async with open_transport(opened=LOOPBACK, connect_timeout=CONNECT_TIMEOUT, timeout=TIMEOUT) as transport:

        async def post(ready: httpx.Request) -> int:
            # Made anew, as aiohttp makes its own.
            request = httpx.Request("POST", ready.url, headers=ready.headers, content=ready.content)
            response = await transport.handle_async_request(request)
            await response.aread()
            return response.status_code

        yield post_all(requests, post)


async def post_all(requests: Sequence[T], post: Callable[[T], Awaitable[int]]) -> None:
    """Make every POST, `LOOP_AT_ONCE` under way."""
    left = iter(requests)

    async def caller() -> None:
        for request in left:
            assert await post(request) == ACCEPTED

    await asyncio.gather(*(caller() for _ in range(LOOP_AT_ONCE)))
