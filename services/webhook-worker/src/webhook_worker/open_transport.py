"""Opening the transport of every POST: to public addresses and opened networks, and never anywhere else."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import httpx
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.http import Url
from pyreqwest.proxy import ProxyBuilder
from runtime.guard_hosts import Guard
from runtime.public_address import Address, Network

from webhook_worker.proxied_transport import ProxiedTransport
from webhook_worker.tls import Tls
from webhook_worker.transport import Transport

TIMEOUT_MARGIN = timedelta(seconds=1)
PORT_OF_THE_URL = 0
PUBLIC_AUTHORITIES = Tls()


def open_transport(
    *,
    opened: Sequence[Network],
    connect_timeout: timedelta,
    timeout: timedelta,
    tls: Tls = PUBLIC_AUTHORITIES,
    proxy: str = "",
) -> httpx.AsyncBaseTransport:
    """Return the transport for every POST, to public addresses and to the `opened` networks.

    All of it goes through `proxy`, a URL that may hold a name and a password, where there is one.

    To find a host takes `connect_timeout` at most, to connect to one of its addresses as long again. httpx
    types are the seam; its own transport is ten times slower, and the client layer half as fast again.
    """
    guard = Guard(opened, within=connect_timeout.total_seconds())
    if proxy:
        builder = client_builder(connect_timeout=connect_timeout, timeout=timeout)
        client = tls.apply(builder.proxy(ProxyBuilder.all(proxy))).build()
        return ProxiedTransport(guard, client, Url(proxy), connect_timeout=connect_timeout)
    return Transport(guard, partial(pin_client, connect_timeout=connect_timeout, timeout=timeout, tls=tls))


def pin_client(
    host: str, address: Address, *, connect_timeout: timedelta, timeout: timedelta, tls: Tls
) -> Client:
    """Return a client that connects to `host` at `address` alone; under TLS the host must be who it is."""
    builder = client_builder(connect_timeout=connect_timeout, timeout=timeout)
    return tls.apply(builder.resolve(host, str(address), PORT_OF_THE_URL)).build()


def client_builder(*, connect_timeout: timedelta, timeout: timedelta) -> ClientBuilder:
    """Return the beginning of every client.

    No redirects, no proxy of the environment, either of which would lead elsewhere; no decompression.
    """
    return (
        ClientBuilder()
        .connect_timeout(connect_timeout)
        # Later than `within` of a POST, which says what it is; this one takes some for connect timeouts.
        .timeout(timeout + TIMEOUT_MARGIN)
        .follow_redirects(enable=False)
        .referer(enable=False)
        .no_proxy()
        .gzip(enable=False)
        .brotli(enable=False)
        .zstd(enable=False)
        .deflate(enable=False)
    )
