"""The HTTP client under every POST: pyreqwest (Rust) behind httpx's types, to guarded hosts only."""

import time
from collections.abc import AsyncIterator
from functools import lru_cache

import httpx
from pyreqwest.client import Client
from pyreqwest.exceptions import ConnectError, ConnectTimeoutError
from pyreqwest.http import HeaderMap, Url
from pyreqwest.request import StreamRequest
from pyreqwest.response import ResponseBodyReader
from runtime.guard_hosts import Forbidden, Guard, Reachable, Unresolved

from webhook_worker.pinned_clients import Pin, PinnedClients

# Of one host, within one attempt: a dead one among several costs a connect timeout, not the attempt.
MOST_ADDRESSES_TRIED = 3
MOST_URLS_KEPT = 1000
# The extension of a request that tells how long it took to find its host.
RESOLVE_MS = "resolve_ms"


class ForbiddenUrlError(Exception):
    """Nothing may be sent there, ever when `for_good`, else as long as its name leads where it does."""

    def __init__(self, reason: str, *, for_good: bool) -> None:
        super().__init__(reason)
        self.for_good = for_good


class UnresolvedHostError(Exception):
    """The host's name has no address now, or none could be found out in time."""


class Transport(httpx.AsyncBaseTransport):
    """Gives an answer as soon as its head is there. Raises pyreqwest's errors as they are.

    The addresses that the guard has judged are the ones connected to. What the guard refuses is a
    ForbiddenUrlError, what it cannot find an UnresolvedHostError. How long that took is told in the request's
    extensions; pyreqwest does not tell connecting from waiting.

    pyreqwest's own httpx transport first reads up to 64 KiB of the body, so that a 200 with a broken body is
    no answer, and raises for a header that is not ASCII: either would ring a second time.
    """

    def __init__(self, guard: Guard, pin: Pin) -> None:
        self._guard = guard
        self._clients = PinnedClients(pin)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request whose content is in memory; the response must be closed."""
        url, found = await judge(self._guard, request)
        if isinstance(found, Unresolved):
            raise UnresolvedHostError("name not resolved")
        return await self._send_somewhere(request, url, found)

    async def _send_somewhere(self, request: httpx.Request, url: Url, found: Reachable) -> httpx.Response:
        """Send it to the first address that can be connected to: as long as nothing of it has been sent."""
        host = url.host_str or ""
        *others, last = self._clients.addresses(host, found)[:MOST_ADDRESSES_TRIED]
        for address in others:
            try:
                return await send(self._clients.client(host, address), url, request)
            except (ConnectError, ConnectTimeoutError) as error:
                if not never_connected(error):
                    raise
                self._clients.put_last(host, address)
        return await send(self._clients.client(host, last), url, request)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._clients.close()


async def judge(guard: Guard, request: httpx.Request) -> tuple[Url, Reachable | Unresolved]:
    """Return where a request leads, if it may: raises ForbiddenUrlError. Tells how long that took."""
    url = parse_url(str(request.url))
    if url.scheme not in {"http", "https"} or not url.host_str:
        raise ForbiddenUrlError("not an http or https URL", for_good=True)
    started = time.perf_counter()
    found = await guard.find(url.host_str)
    request.extensions[RESOLVE_MS] = (time.perf_counter() - started) * 1000
    if isinstance(found, Forbidden):
        raise ForbiddenUrlError(f"address not allowed: {found.kind}", for_good=found.for_good)
    return url, found


def never_connected(error: ConnectError | ConnectTimeoutError) -> bool:
    """Tell whether nothing can have been sent.

    pyreqwest's ConnectError is also a connection that was lost before its answer came: sent to another
    address then, it might ring twice.
    """
    return any(cause["message"] == "client error (Connect)" for cause in error.details["causes"] or ())


@lru_cache(maxsize=MOST_URLS_KEPT)
def parse_url(text: str) -> Url:
    """Parse it by the client's own parser: what is judged is then what it makes of `0x7f.1`, `①②⑦.0.0.1`."""
    return Url(text)


async def send(client: Client, url: Url, request: httpx.Request) -> httpx.Response:
    """Send a request by this client."""
    sent = (
        client.request(request.method, url)
        .headers(request.headers.multi_items())
        .body_bytes(request.content)
        .streamed_read_buffer_limit(0)
        .build_streamed()
    )
    response = await sent.__aenter__()  # the body is closed by whoever reads it
    return httpx.Response(
        response.status, headers=readable(response.headers), stream=Body(response.body_reader, sent)
    )


class Body(httpx.AsyncByteStream):
    """The rest of an answer; closing it early closes the connection."""

    def __init__(self, reader: ResponseBodyReader, sent: StreamRequest) -> None:
        self._reader = reader
        self._sent = sent

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Read it piece by piece."""
        while (chunk := await self._reader.read()) is not None:
            yield bytes(chunk)

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._sent.__aexit__(None, None, None)


def readable(headers: HeaderMap) -> list[tuple[str, str]]:
    """Return the headers whose values are text, in their order."""
    kept = []
    items = iter(headers.items())
    while True:
        try:
            kept.append(next(items))
        except ValueError:
            continue
        except StopIteration:
            return kept
