"""What a webhook receiver answers: 204, or what it was told to answer next."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web
from msgspec import Struct

ACCEPTED = 204


class Reply(Struct, frozen=True, kw_only=True):
    """What to answer, after how many seconds."""

    status: int = ACCEPTED
    after_seconds: float = 0
    headers: dict[str, str] = {}


Scripted = int | Reply | Callable[[web.Request], "int | Reply | Awaitable[int | Reply]"]


class Replies:
    """The replies still to be given, one a request; 204 when there are none."""

    def __init__(self) -> None:
        self._script: deque[Scripted] = deque()

    def extend(self, replies: Iterable[Scripted]) -> None:
        """Give these after what is to be given already."""
        self._script.extend(replies)

    async def next(self, request: web.Request) -> Reply:
        """Return the reply to `request`."""
        scripted = self._script.popleft() if self._script else ACCEPTED
        if callable(scripted):
            answer = scripted(request)
            scripted = await answer if isinstance(answer, Awaitable) else answer
        return Reply(status=scripted) if isinstance(scripted, int) else scripted
