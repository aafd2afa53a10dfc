"""A stream of bytes, split into numbered lines; memory holds one line at most, whatever is sent."""

from collections.abc import AsyncIterator

from msgspec import Struct

MOST_LINE_BYTES = 64 * 1024


class Line(Struct, frozen=True, gc=False):
    """A line without its end, counted from 1; `text` is None of one that is longer than 64 KiB."""

    number: int
    text: bytes | None


async def split_lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[list[Line]]:
    """Give the lines that each chunk completes; the last needs no end."""
    lines = _Lines()
    async for chunk in chunks:
        if ended := lines.add(chunk):
            yield ended
    if last := lines.finish():
        yield last


class _Lines:
    def __init__(self) -> None:
        self._number = 0
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, chunk: bytes) -> list[Line]:
        begun, *others = chunk.split(b"\n")
        self._grow(begun)
        ended = []
        for other in others:
            ended.append(self._end())
            self._grow(other)
        return ended

    def finish(self) -> list[Line]:
        return [self._end()] if self._size else []

    def _grow(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > MOST_LINE_BYTES:
            self._parts.clear()
        elif part:
            self._parts.append(part)

    def _end(self) -> Line:
        self._number += 1
        text = None if self._size > MOST_LINE_BYTES else b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        return Line(self._number, text)
