"""`listen`: one queue, found by its name alone, listened to until the process is told to stop."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from runtime.aws import open_sqs
from runtime.stopping import Stop

from messaging.find_queue import find_queue
from messaging.listening import Listening

SQS_CONNECTIONS = 4


@asynccontextmanager
async def listen(
    name: str, *, stop: Stop | None = None, region: str | None = None, within: float = 60
) -> AsyncIterator[Listening]:
    """Listen to the SQS queue of this name, `carillon-production-analytics`, while the context is open.

    SIGTERM and SIGINT end its loops, unless `stop` is given, which does it then. AWS's own variables say
    where it is and who asks. Raises StartFailedError if the queue is not there `within` so many seconds.
    """
    with told_to_stop(stop) as told:
        async with open_sqs(region or os.environ.get("AWS_REGION"), connections=SQS_CONNECTIONS) as client:
            listening = Listening(await find_queue(client, name, told, within=within), told)
            async with listening.open():
                yield listening


@contextmanager
def told_to_stop(given: Stop | None) -> Iterator[Stop]:
    """Give `given`, or else an event that SIGTERM and SIGINT set; a second one ends the process at once."""
    stop, loop = given or asyncio.Event(), asyncio.get_running_loop()
    heard = () if given else (signal.SIGTERM, signal.SIGINT)

    def hear_no_more() -> None:
        for number in heard:
            loop.remove_signal_handler(number)

    def tell() -> None:
        stop.set()
        hear_no_more()

    for number in heard:
        loop.add_signal_handler(number, tell)
    try:
        yield stop
    finally:
        hear_no_more()
