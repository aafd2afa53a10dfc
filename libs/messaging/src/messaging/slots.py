"""Slots: how much may be under way at once; a consumer receives only for free ones."""

import asyncio
from collections import deque


class Slots:
    """A number of places that are reserved in groups and released one by one."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def free(self) -> int:
        """How many places nobody holds."""
        return self._free

    async def reserve(self, most: int) -> int:
        """Wait until a place is free, take as many as are, at most `most`, and return how many."""
        while self._free == 0:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            try:
                await waiter
            except BaseException:
                if waiter in self._waiting:
                    self._waiting.remove(waiter)
                # It may have been woken and cancelled at once: then the next one's turn has come.
                self._wake()
                raise
        taken = min(self._free, most)
        self._free -= taken
        self._wake()
        return taken

    def release(self, count: int = 1) -> None:
        """Give `count` places back."""
        self._free += count
        self._wake()

    def _wake(self) -> None:
        while self._free and self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
