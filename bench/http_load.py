"""A client as cheap as Python can have it: `python http_load.py PORT CONNECTIONS FILE` sends FILE's requests.

FILE holds raw HTTP/1.1 requests, as a JSON list; each is sent once, one at a time on each kept-alive
connection. It prints what came of it as JSON: seconds, CPU seconds of its own, latencies in ms, answers by
status. A process of its own, and a script: it imports nothing of the benches.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import cast

import uvloop

LENGTH = b"\r\ncontent-length: "


class Connection(asyncio.Protocol):
    """One connection: sends the next request as soon as the last one was answered."""

    def __init__(self, requests: Iterator[bytes], latencies: list[float], statuses: Counter[str]) -> None:
        self._requests, self._latencies, self._statuses = requests, latencies, statuses
        self._unread = b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not one by class
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        """End; sooner than it should is an error."""
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed a connection"))

    def data_received(self, data: bytes) -> None:
        """Note an answer once it is whole."""
        unread = self._unread + data if self._unread else data
        head = unread.find(b"\r\n\r\n")
        if head >= 0 and len(unread) >= head + 4 + _length(unread[:head].lower()):
            self._latencies.append(time.perf_counter() - self._sent)
            self._statuses[unread[9:12].decode()] += 1
            unread = b""
            self._send()
        self._unread = unread

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)


def _length(head: bytes) -> int:
    at = head.find(LENGTH)
    return int(head[at + len(LENGTH) :].split(b"\r", 1)[0]) if at >= 0 else 0


def _percentile(values: list[float], percent: int) -> float:
    return sorted(values)[ceil(len(values) * percent / 100) - 1]


async def load(port: int, connections: int, requests: list[bytes]) -> dict[str, object]:
    """Send the requests; return what came of it."""
    left, latencies, statuses = iter(requests), list[float](), Counter[str]()
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    opened = [
        (await loop.create_connection(lambda: Connection(left, latencies, statuses), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.done for connection in opened))
    return {
        "seconds": time.perf_counter() - started,
        "cpuSeconds": time.process_time(),
        "p50": _percentile(latencies, 50) * 1000,
        "p99": _percentile(latencies, 99) * 1000,
        "statuses": statuses,
    }


if __name__ == "__main__":
    texts = json.loads(Path(sys.argv[3]).read_bytes())
    told = uvloop.run(load(int(sys.argv[1]), int(sys.argv[2]), [text.encode() for text in texts]))
    sys.stdout.write(json.dumps(told))
