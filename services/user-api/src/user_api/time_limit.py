"""Time limits: for answering a request, and for each piece of a body that a client sends."""

import asyncio

from litestar.types import ASGIApp, Receive, ReceiveMessage, Scope, Send

from user_api.refusals import BodyTooSlowError, TooLongError

# As long as its body, and each piece of that has its own limit.
UNLIMITED = frozenset({"/user/import"})
_BODY_HEADERS = frozenset({b"content-length", b"transfer-encoding"})


class TimeLimit:
    """Wraps the application: what takes too long is cancelled, which rolls its transaction back."""

    def __init__(self, app: ASGIApp, *, answer_within: float, body_within: float) -> None:
        self._app = app
        self._answer_within = answer_within
        self._body_within = body_within

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises TooLongError, BodyTooSlowError."""
        limit = None if scope["path"].rstrip("/") in UNLIMITED else self._answer_within
        body = _Body(receive, self._body_within) if _has_body(scope) else None
        timeout = asyncio.timeout(limit)
        try:
            async with timeout:
                await self._app(scope, body.receive if body else receive, send)
        except TimeoutError:
            if not timeout.expired():
                raise
            raise (BodyTooSlowError if body and body.awaited else TooLongError) from None


class _Body:
    """A body that is still coming, a piece at a time."""

    def __init__(self, receive: Receive, within: float) -> None:
        self._receive = receive
        self._within = within
        self._more = True
        self.awaited = False

    async def receive(self) -> ReceiveMessage:
        """Give the next piece. Raises BodyTooSlowError."""
        if not self._more:
            return await self._receive()
        self.awaited = True
        try:
            async with asyncio.timeout(self._within):
                message = await self._receive()
        except TimeoutError:
            raise BodyTooSlowError from None
        self.awaited = False
        self._more = message["type"] == "http.request" and message["more_body"]
        return message


def _has_body(scope: Scope) -> bool:
    return any(name in _BODY_HEADERS for name, _ in scope["headers"])
