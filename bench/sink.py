"""A sink for POSTs, as cheap as Python can have it: `python sink.py PORT` answers each with 204, keep-alive.

It notes webhook-id and arrival of each. GET /receipts tells them as JSON, GET /tally only how many they are
and the seconds of CPU used; DELETE forgets them.
A process of its own, and a script: it imports nothing of the benches.
"""

import asyncio
import json
import re
import sys
import time
from typing import cast

import uvloop

ACCEPTED = b"HTTP/1.1 204 No Content\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
WEBHOOK_ID = re.compile(rb"\r\nwebhook-id: *([^\r]+)", re.IGNORECASE)

receipts: list[tuple[str, float]] = []


class Connection(asyncio.Protocol):
    """One keep-alive connection; requests may come in pieces, or several at once."""

    def __init__(self) -> None:
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not one by class

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        unread = self._unread + data if self._unread else data
        while (end := unread.find(b"\r\n\r\n")) >= 0:
            head = unread[: end + 2]
            length = LENGTH.search(head)
            after = end + 4 + (int(length[1]) if length else 0)
            if len(unread) < after:
                break
            self._answer(head)
            unread = unread[after:]
        self._unread = unread

    def _answer(self, head: bytes) -> None:
        if head.startswith(b"POST"):
            webhook_id = WEBHOOK_ID.search(head)
            receipts.append((webhook_id[1].decode() if webhook_id else "", time.time()))
            self._transport.write(ACCEPTED)
        elif head.startswith(b"DELETE"):
            receipts.clear()
            self._transport.write(ACCEPTED)
        else:
            tally = {"count": len(receipts), "cpuSeconds": time.process_time()}
            told = json.dumps(receipts if b" /receipts " in head else tally).encode()
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(told), told))


async def serve(port: int) -> None:
    """Answer until killed."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
