"""The lines of a file or of stdin, read beside everything else."""

import asyncio
import threading
from contextlib import suppress
from typing import BinaryIO

from msgspec import Struct

CHUNK_BYTES = 64 * 1024
# One more than the API takes: it refuses such a line, and nobody holds the rest of it.
MOST_LINE_BYTES = 64 * 1024 + 1
CHUNKS_AHEAD = 4


class SourceLine(Struct, frozen=True):
    """A line as the file has it (a longer one than the API takes is cut) and how many bytes it took."""

    number: int
    text: bytes
    size: int


class LineReader:
    """Reads lines in a thread, so that a slow pipe holds nothing up, and a few chunks ahead at most."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Queue[list[SourceLine] | OSError] = asyncio.Queue()
        self._room = threading.Semaphore(CHUNKS_AHEAD)
        # A daemon: a read of a pipe that nobody writes to must not keep the process from ending.
        threading.Thread(target=self._read, daemon=True).start()

    async def more(self) -> list[SourceLine]:
        """Give the next lines, none at the end; cancelling this loses none. Raises OSError."""
        lines = await self._ready.get()
        self._room.release()
        if isinstance(lines, OSError):
            raise lines
        if not lines:
            self._put([])  # the end stays the end
        return lines

    def _read(self) -> None:
        lines = _Lines()
        # The command may have ended meanwhile, and its loop with it: then nobody wants more.
        with suppress(RuntimeError):
            try:
                while chunk := self._file.read1(CHUNK_BYTES):  # type: ignore[attr-defined] # it is buffered
                    if ended := lines.add(chunk):
                        self._put(ended)
                if last := lines.finish():
                    self._put(last)
                self._put([])
            except OSError as error:
                self._put(error)

    def _put(self, item: list[SourceLine] | OSError) -> None:
        self._room.acquire()
        self._loop.call_soon_threadsafe(self._ready.put_nowait, item)


class _Lines:
    def __init__(self) -> None:
        self._number = 0
        self._begun = bytearray()
        self._size = 0

    def add(self, chunk: bytes) -> list[SourceLine]:
        begun, *others = chunk.split(b"\n")
        self._grow(begun)
        ended = []
        for other in others:
            self._size += 1
            ended.append(self._end())
            self._grow(other)
        return ended

    def finish(self) -> list[SourceLine]:
        return [self._end()] if self._size else []

    def _grow(self, part: bytes) -> None:
        self._size += len(part)
        self._begun += part[: MOST_LINE_BYTES - len(self._begun)]

    def _end(self) -> SourceLine:
        self._number += 1
        line = SourceLine(self._number, bytes(self._begun), self._size)
        self._begun.clear()
        self._size = 0
        return line
