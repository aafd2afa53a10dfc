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
    """The replies still to be given, one a request, to anybody's webhooks or to a user's; 204 without one."""

    def __init__(self) -> None:
        self._scripts: dict[str | None, deque[Scripted]] = {}

    def extend(self, replies: Iterable[Scripted], *, user_id: str | None) -> None:
        """Give these after what is to be given already."""
        self._scripts.setdefault(user_id, deque()).extend(replies)

    async def next(self, request: web.Request, body: object) -> Reply:
        """Return the reply to `request`, whose user's replies come before anybody's."""
        user_id = body.get("userId") if isinstance(body, dict) else None
        script = self._scripts.get(user_id) or self._scripts.get(None)
        scripted = script.popleft() if script else ACCEPTED
        if callable(scripted):
            answer = scripted(request)
            scripted = await answer if isinstance(answer, Awaitable) else answer
        return Reply(status=scripted) if isinstance(scripted, int) else scripted
