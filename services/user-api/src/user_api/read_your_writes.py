"""Read-your-writes: who may read from a replica, told by cookies that hold no data.

A client that keeps cookies shows it by sending KEPT, and has WROTE for as long after its last change as a
replica may be late. So it reads its own changes, whichever process answers. A client that keeps no cookies is
always answered by the primary, unless it asks for `Carillon-Consistency: eventual`.
"""

from http.cookies import CookieError, SimpleCookie

from litestar.types import ASGIApp, Message, Receive, Scope, Send

KEPT = "carillon-kept"
WROTE = "carillon-wrote"
CONSISTENCY = b"carillon-consistency"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
DAY_SECONDS = 86_400
# A client may round an age, or count it from when it asked.
ROUNDING_SECONDS = 2


class ReadYourWrites:
    """Wraps the application: notes in the scope's state who may read late, and marks who wrote."""

    def __init__(self, app: ASGIApp, *, behind_seconds: float, local: bool) -> None:
        self._app = app
        self._kept = _cookie(KEPT, DAY_SECONDS, local=local)
        self._wrote = _cookie(WROTE, int(behind_seconds) + ROUNDING_SECONDS, local=local)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        cookies = _cookies(scope)
        writes = scope["method"] not in SAFE  # type: ignore[typeddict-item] # there are no web sockets
        scope["state"]["may_read_late"] = WROTE not in cookies and (KEPT in cookies or _asks_for_late(scope))
        marks = [self._wrote] if writes else []
        if KEPT not in cookies:
            marks.append(self._kept)

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start" and marks:
                message["headers"] = [*message["headers"], *marks]
            await send(message)

        await self._app(scope, receive, marked)


def may_read_late(scope: Scope) -> bool:
    """Tell whether this request may be answered by a replica."""
    return bool(scope["state"].get("may_read_late"))


def _cookie(name: str, seconds: int, *, local: bool) -> tuple[bytes, bytes]:
    secure = "" if local else "; Secure"
    return b"set-cookie", f"{name}=1; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax{secure}".encode()


def _cookies(scope: Scope) -> SimpleCookie:
    sent = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
    try:
        return SimpleCookie(sent.decode("latin-1"))
    except CookieError:
        return SimpleCookie()


def _asks_for_late(scope: Scope) -> bool:
    return (CONSISTENCY, b"eventual") in scope["headers"]
