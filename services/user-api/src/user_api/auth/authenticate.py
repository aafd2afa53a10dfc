"""The way in: every request but those to the open paths names its caller, or is answered 401."""

from collections.abc import Awaitable, Callable

from litestar.types import ASGIApp, Receive, Scope, Send
from messaging.actor import ACTOR

from user_api.auth.caller import ANONYMOUS, Caller, actor_of
from user_api.refusals import UnauthenticatedError

Verify = Callable[[bytes], Awaitable[Caller]]

OPEN_PATHS = frozenset({"/health", "/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs"})
OPEN_FOLDER = "/docs/"
MOST_BYTES = 8192  # tokens of the large issuers have 1 to 3 KB


class Authenticate:
    """Wraps an application: the caller that `verify` finds in the token is in the scope's state."""

    def __init__(self, app: ASGIApp, verify: Verify) -> None:
        self._app = app
        self._verify = verify

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in. Raises UnauthenticatedError, KeysUnavailableError."""
        path = scope["path"]
        if path not in OPEN_PATHS and not path.startswith(OPEN_FOLDER):
            caller = scope["state"]["caller"] = await self._verify(bearer_token(scope))
            ACTOR.set(actor_of(caller))
        await self._app(scope, receive, send)


class LetEverybodyIn:
    """Wraps an application: every caller is an admin."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in."""
        scope["state"]["caller"] = ANONYMOUS
        await self._app(scope, receive, send)


def bearer_token(scope: Scope) -> bytes:
    """Read what is sent as a token (RFC 6750 §2.1; no query, no form). Raises UnauthenticatedError."""
    sent = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(sent) > 1:
        raise UnauthenticatedError("Authorization is sent more than once")
    scheme, _, token = sent[0].partition(b" ") if sent else (b"", b"", b"")
    if scheme.lower() != b"bearer":
        raise UnauthenticatedError
    if len(token) > MOST_BYTES:
        raise UnauthenticatedError("The token is too long")
    return token.strip(b" ")
