"""A TCP proxy that breaks what passes: it hangs, resets, cuts, slows, babbles, or is not there."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Self, assert_never

from msgspec import Struct

from testkit.ports import LOOPBACK, free_port

PIECE = 65_536
AT_ONCE = struct.pack("ii", 1, 0)  # closed so, a connection is reset


class Hang(Struct, frozen=True):
    """Take what is sent and never answer."""


class Reset(Struct, frozen=True):
    """Take the beginning of what is sent, then reset the connection."""


class Cut(Struct, frozen=True):
    """Pass it on, and cut the answer after so many bytes; 0 cuts it when it comes."""

    after: int


class Slow(Struct, frozen=True):
    """Pass it on, and give the answer byte by byte, with so many seconds between them."""

    seconds: float


class Say(Struct, frozen=True):
    """Answer these bytes, so many times over, whatever is sent."""

    answer: bytes
    times: int = 1


Fault = Hang | Reset | Cut | Slow | Say


class FaultProxy:
    """Passes connections on to `upstream_port`; each new one has the next of the faults, while there are any.

    It listens while its context is open, but for what lies between `leave` and `come_back`. `connections`
    counts those it took.
    """

    def __init__(self, upstream_port: int) -> None:
        self.port = free_port()
        self.connections = 0
        self._upstream_port = upstream_port
        self._faults: deque[Fault] = deque()
        self._server: asyncio.Server | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where webhooks go that are to pass it."""
        return f"http://{LOOPBACK}:{self.port}/webhook"

    def break_next(self, faults: Iterable[Fault]) -> None:
        """Break the next connections so, one each."""
        self._faults.extend(faults)

    async def come_back(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._take, LOOPBACK, self.port)

    async def leave(self) -> None:
        """Listen no more and cut every connection; new ones are refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def __aenter__(self) -> Self:
        """Listen."""
        await self.come_back()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave."""
        await self.leave()

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        fault = self._faults.popleft() if self._faults else None
        task = asyncio.create_task(self._serve(fault, reader, writer))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _serve(
        self, fault: Fault | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            with suppress(ConnectionError):
                match fault:
                    case Hang():
                        while await reader.read(PIECE):
                            pass
                    case Reset():
                        await reader.read(1)
                    case Say(answer=answer, times=times):
                        await reader.read(PIECE)
                        await say(writer, answer, times)
                    case None | Cut() | Slow():
                        await self._pass_on(fault, reader, writer)
                    case _:
                        assert_never(fault)
        finally:
            if isinstance(fault, Reset):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            writer.close()

    async def _pass_on(
        self, fault: Cut | Slow | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection(LOOPBACK, self._upstream_port)
        there = asyncio.create_task(copy(reader, upstream_writer))
        try:
            match fault:
                case Cut(after=after):
                    answer = await upstream_reader.read(PIECE)
                    await say(writer, answer[:after], 1)
                case Slow(seconds=seconds):
                    while byte := await upstream_reader.read(1):
                        await say(writer, byte, 1)
                        await asyncio.sleep(seconds)
                case None:
                    await copy(upstream_reader, writer)
                case _:
                    assert_never(fault)
        finally:
            there.cancel()
            upstream_writer.close()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass everything on until either side ends."""
    with suppress(ConnectionError):
        while piece := await reader.read(PIECE):
            await say(writer, piece, 1)


async def say(writer: asyncio.StreamWriter, answer: bytes, times: int) -> None:
    """Write it so many times over, no faster than it is taken."""
    for _ in range(times):
        writer.write(answer)
        await writer.drain()
