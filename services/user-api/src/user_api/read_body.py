"""A request's body, up to a limit that holds for chunked bodies too."""

from typing import Any

from litestar import Request

from user_api.refusals import BodyTooLargeError, ClientGoneError

MOST_BYTES = 1024 * 1024


async def read_body(request: Request[Any, Any, Any]) -> bytes:
    """Read the body. Raises BodyTooLargeError beyond 1 MiB, ClientGoneError."""
    # Of the headers as they came: Litestar's mapping of all of them is not needed for one.
    announced = next((value for name, value in request.scope["headers"] if name == b"content-length"), b"")
    if announced.isdigit() and int(announced) > MOST_BYTES:
        raise BodyTooLargeError
    body = b""
    while True:
        message = await request.receive()
        if message["type"] != "http.request":
            raise ClientGoneError
        body += message["body"]
        if len(body) > MOST_BYTES:
            raise BodyTooLargeError
        if not message["more_body"]:
            return body
