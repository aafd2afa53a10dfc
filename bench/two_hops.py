"""What the engine itself carries: the same messages over the same two hops, and nothing else.

Hop one: PublishBatch → birthday-due → webhook-critical. Hop two, for each message received there:
PublishBatch → occurrence-completed → scheduler-outcomes. Both are received, then deleted. By plain HTTP, the
publishing requests written beforehand and nothing signed, so that it is the engine that is measured.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import aiohttp
from messaging.publish import MOST_ENTRIES
from msgspec import Struct

from bench.raw_engine import Hop, RawEngine

PUBLISHERS = 16
POLLERS = 8
HANDLERS = 8
CONNECTIONS = 64
THE_END = ""

Handle = Callable[[Sequence[str]], Awaitable[None]]


class Hops(Struct, frozen=True, kw_only=True):
    """Both hops, with as many messages on the second as on the first, a multiple of ten."""

    first: Hop
    second: Hop
    messages: int


async def carry(url: str, hops: Hops) -> float:
    """Carry all messages over both hops; return messages/s, from the first publish to the last delete."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as http:
        engine = RawEngine(http=http, url=url)
        first, second = iter(hops.first.publishing), iter(hops.second.publishing)
        owed = 0

        async def publisher() -> None:
            for request in first:
                await engine.publish(request)

        async def pass_on(receipts: Sequence[str]) -> None:
            nonlocal owed
            owed += len(receipts)
            while owed >= MOST_ENTRIES:
                owed -= MOST_ENTRIES
                await engine.publish(next(second))
            await engine.delete(hops.first, receipts)

        async def forget(receipts: Sequence[str]) -> None:
            await engine.delete(hops.second, receipts)

        started = time.perf_counter()
        _, _, ended = await asyncio.gather(
            asyncio.gather(*(publisher() for _ in range(PUBLISHERS))),
            receive_all(engine, hops.first, hops.messages, pass_on),
            receive_all(engine, hops.second, hops.messages, forget),
        )
        return hops.messages / (ended - started)


async def receive_all(engine: RawEngine, hop: Hop, count: int, handle: Handle) -> float:
    """Receive `count` messages and hand over their receipts, ten at a time or what there is.

    Returns when (perf_counter) the last was handled.
    """
    arrived: asyncio.Queue[str] = asyncio.Queue()
    left, ended = count, 0.0

    async def poller() -> None:
        while left > 0:
            for receipt in await engine.receive(hop):
                arrived.put_nowait(receipt)
        arrived.put_nowait(THE_END)

    async def handler() -> None:
        nonlocal left, ended
        while (receipt := await arrived.get()) != THE_END:
            receipts = [receipt]
            while len(receipts) < MOST_ENTRIES and not arrived.empty():
                receipts.append(arrived.get_nowait())
            await handle(receipts)
            left, ended = left - len(receipts), time.perf_counter()
        arrived.put_nowait(THE_END)  # for the next one

    async with asyncio.TaskGroup() as group:
        for task in (poller,) * POLLERS + (handler,) * HANDLERS:
            group.create_task(task())
    assert left == 0, left
    return ended
