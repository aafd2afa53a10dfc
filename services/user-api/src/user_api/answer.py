"""A JSON answer, sent by the shortest way."""

from typing import Any, TypeVar

import msgspec
from litestar import Request, Response
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

T = TypeVar("T")


class Answer(Response[T]):
    """A Litestar response that knows no cookies, no other media type and no other encoder than msgspec.

    8 of the 33 µs that Litestar takes for a request go into building what is not used here.
    """

    def to_asgi_response(
        self,
        app: object,  # noqa: ARG002 (Litestar's signature)
        request: Request[Any, Any, Any],  # noqa: ARG002
        *,
        headers: dict[str, str] | None = None,
        status_code: int | None = None,
        **_: object,
    ) -> ASGIResponse:
        """Encode it; what is said of the route's headers and status holds where it says nothing itself."""
        return Encoded(
            msgspec.json.encode(self.content),
            self.status_code or status_code or 200,
            {**(headers or {}), **self.headers},
        )


class Encoded(ASGIResponse):
    """The answer as it is sent."""

    def __init__(self, body: bytes, status: int, headers: dict[str, str]) -> None:
        self.body, self.status_code = body, status
        self._headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            *((name.lower().encode(), value.encode()) for name, value in headers.items()),
        ]

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self._headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})
