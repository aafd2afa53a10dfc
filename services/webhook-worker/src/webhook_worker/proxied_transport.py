"""POSTs through a proxy: judged like any other, and what the proxy itself gets wrong is told apart."""

import asyncio
from datetime import timedelta
from http import HTTPStatus

import httpx
from pyreqwest.client import Client
from pyreqwest.exceptions import ConnectError, ConnectTimeoutError
from pyreqwest.http import Url
from runtime.guard_hosts import Guard

from webhook_worker.transport import judge, never_connected, send

# What the client says of a tunnel (CONNECT) that the proxy answered for, and refused: it could not connect.
REFUSED = "tunnel error: unsuccessful"
TUNNEL = "tunnel error: "


class ProxyFailedError(Exception):
    """The proxy is away, breaks off or wants other credentials: the endpoint was not asked."""


class ProxiedTransport(httpx.AsyncBaseTransport):
    """Sends everything by a client that goes through the proxy at `address`.

    The guard judges as without one, but the proxy asks DNS again and connects (ADR 0034): a name that is
    unknown here is its affair. Raises what `Transport` does, and ProxyFailedError.
    """

    def __init__(self, guard: Guard, client: Client, address: Url, *, connect_timeout: timedelta) -> None:
        self._guard = guard
        self._client = client
        self._address = address
        self._connect_seconds = connect_timeout.total_seconds()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request whose content is in memory; the response must be closed."""
        url, _ = await judge(self._guard, request)
        try:
            response = await send(self._client, url, request)
        except (ConnectError, ConnectTimeoutError) as error:
            if never_connected(error) and await self._is_proxys(error, url):
                raise ProxyFailedError("proxy failed") from error
            raise
        # Through a tunnel it is the endpoint that answers.
        if url.scheme == "http" and response.status_code == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            await response.aclose()
            raise ProxyFailedError("proxy wants other credentials")
        return response

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.close()

    async def _is_proxys(self, error: ConnectError | ConnectTimeoutError, url: Url) -> bool:
        if url.scheme == "http":  # the proxy is all that is connected to
            return True
        if isinstance(error, ConnectTimeoutError):  # either may be the silent one
            return not await self._is_there()
        causes = [cause["message"] for cause in error.details["causes"] or ()]
        return any(cause.startswith(TUNNEL) and cause != REFUSED for cause in causes)

    async def _is_there(self) -> bool:
        """Tell whether the proxy takes a connection."""
        try:
            async with asyncio.timeout(self._connect_seconds):
                _, writer = await asyncio.open_connection(
                    self._address.host_str, self._address.port_or_known_default
                )
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True
