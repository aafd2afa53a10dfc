"""Consuming for a process that ends: what waits in a queue is handled until a receive finds nothing."""

import asyncio
import time
from collections.abc import Sequence

from runtime.database import is_passing
from runtime.stopping import Stop

from messaging import queue as sqs
from messaging.consume import Handle
from messaging.queue import MOST_ENTRIES, OpenQueue
from messaging.received import Received, read_all
from messaging.report_handled import measure_handled, tell_failed
from messaging.trace_messages import processing

ABREAST = 4
# With 0, SQS asks a sample of its servers only, and finds nothing where something is.
WAIT_SECONDS = 1


async def consume_once(open_queue: OpenQueue, handle: Handle, stop: Stop) -> int:
    """Hand over what waits until nothing does, or `stop` is set; return how many messages were handled.

    As in a Consumer, what nobody can read is dead-lettered, and a message that fails for a reason of its own
    is tried alone and left to the queue's redrive. A failure that is nobody's own (the database away, for
    one) is raised, and the messages come again.
    """
    abreast = [handle_what_waits(open_queue, handle, stop) for _ in range(ABREAST)]
    ended = await asyncio.gather(*abreast, return_exceptions=True)
    for one in ended:
        if isinstance(one, BaseException):
            raise one
    return sum(one for one in ended if isinstance(one, int))


async def handle_what_waits(open_queue: OpenQueue, handle: Handle, stop: Stop) -> int:
    """Receive and hand over ten at a time; return how many were handled."""
    handled = 0
    while not stop.is_set():
        messages = await sqs.receive(open_queue, MOST_ENTRIES, wait_seconds=WAIT_SECONDS)
        if not messages:
            break
        readable, unreadable = read_all(messages)
        for message, reason in unreadable:
            await sqs.dead_letter(open_queue, message, reason)
        handled += await settle(open_queue, handle, readable) if readable else 0
    return handled


async def settle(open_queue: OpenQueue, handle: Handle, batch: Sequence[Received]) -> int:
    """Handle and delete a batch, each of it alone where that fails; return how many were handled."""
    try:
        started = time.perf_counter()
        with processing(open_queue.queue.name, batch):
            await handle(batch)
    except Exception as error:
        if is_passing(error):
            raise
        if len(batch) == 1:
            tell_failed(open_queue, batch[0], error)
            return 0
        return sum([await settle(open_queue, handle, [received]) for received in batch])
    await sqs.delete(open_queue, [received.receipt for received in batch])
    measure_handled(open_queue, len(batch), time.perf_counter() - started)
    return len(batch)
