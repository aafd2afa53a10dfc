"""The HTTP client under every POST: pyreqwest (Rust) behind httpx's transport types."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
from pyreqwest.client import Client
from pyreqwest.http import HeaderMap
from pyreqwest.response import ResponseBodyReader


class Transport(httpx.AsyncBaseTransport):
    """Gives an answer as soon as its head is there. Raises pyreqwest's errors as they are.

    pyreqwest's own httpx transport first reads up to 64 KiB of the body, so that a 200 with a broken body is
    no answer, and raises for a header that is not ASCII: either would ring a second time.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request whose content is in memory; the response must be closed."""
        builder = (
            self._client.request(request.method, str(request.url))
            .headers(request.headers.multi_items())
            .body_bytes(request.content)
            .streamed_read_buffer_limit(0)
        )
        async with AsyncExitStack() as stack:
            response = await stack.enter_async_context(builder.build_streamed())
            return httpx.Response(
                response.status,
                headers=readable(response.headers),
                stream=Body(response.body_reader, stack.pop_all()),
            )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.close()


class Body(httpx.AsyncByteStream):
    """The rest of an answer; closing it early closes the connection."""

    def __init__(self, reader: ResponseBodyReader, stack: AsyncExitStack) -> None:
        self._reader = reader
        self._stack = stack

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Read it piece by piece."""
        while (chunk := await self._reader.read()) is not None:
            yield bytes(chunk)

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._stack.aclose()


def readable(headers: HeaderMap) -> list[tuple[str, str]]:
    """Return the headers whose values are text."""
    kept = []
    for name in set(headers.keys()):
        try:
            kept += [(name, value) for value in headers.getall(name)]
        except ValueError:
            continue
    return kept
