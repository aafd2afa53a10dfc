"""A request's body, up to a limit that holds for chunked bodies too."""

from typing import Any

from litestar import Request
from litestar.types import Receive, Scope

from user_api.refusals import BodyTooLargeError, ClientGoneError

MOST_BYTES = 1024 * 1024


async def read_body(request: Request[Any, Any, Any]) -> bytes:
    """Read the body. Raises BodyTooLargeError beyond 1 MiB, ClientGoneError."""
    return await receive_body(request.scope, request.receive)


async def receive_body(scope: Scope, receive: Receive) -> bytes:
    """Read the body where there is no Litestar around. Raises as read_body does."""
    announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    if announced.isdigit() and int(announced) > MOST_BYTES:
        raise BodyTooLargeError
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGoneError
        body += message["body"]
        if len(body) > MOST_BYTES:
            raise BodyTooLargeError
        if not message["more_body"]:
            return body
