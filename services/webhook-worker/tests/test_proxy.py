"""Through a proxy: where webhooks go is judged all the same, and no endpoint answers for its faults."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import closing, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import pytest
from domain.retry import Forbidden, NoResponse, Outcome, Response
from messaging.consume import Received
from runtime.database import Connection
from runtime.public_address import read_networks
from testkit.certificates import Authority
from testkit.ports import free_port
from testkit.receiver import Receiver, new_secret
from webhook_worker.breakers import Breakers
from webhook_worker.delivery import Attempt, Delivery
from webhook_worker.endpoint import DEFAULT_ENDPOINT_ID, Endpoint, default_endpoint
from webhook_worker.open_transport import open_transport
from webhook_worker.post_webhook import post_webhook
from webhook_worker.tls import Tls

Due = Callable[..., Received]
Post = Callable[[Endpoint, Delivery], Coroutine[Any, Any, Attempt]]
Retry = Callable[[], Awaitable[int]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]
Take = Callable[..., Coroutine[Any, Any, list[Delivery]]]
Work = Callable[..., Coroutine[Any, Any, None]]

WITHIN = timedelta(seconds=1)
LOOPBACK = read_networks("127.0.0.0/8")
HOST = "partner.invalid"  # which DNS never knows (RFC 2606)
WANTS_PASSWORD = b"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"
CANNOT_CONNECT = b"HTTP/1.1 502 Cannot connect\r\nContent-Length: 0\r\n\r\n"


class Proxy:
    """A forward proxy at 127.0.0.1 that believes every name to be there too; `answer` replaces its work."""

    def __init__(self) -> None:
        self.port = free_port()
        self.requests: list[bytes] = []
        self.answer: bytes | None = None
        self._server: asyncio.Server | None = None

    async def come(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    def leave(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.requests.append(head)
        if self.answer is not None:
            writer.write(self.answer)
            writer.close()
            return
        method, target, rest = head.split(b" ", 2)
        upstream, send = await asyncio.open_connection("127.0.0.1", port_of(target))
        if method == b"CONNECT":
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        else:
            send.write(b"%b /%b %b" % (method, target.split(b"/", 3)[3], rest))
        await asyncio.gather(copy(reader, send), copy(upstream, writer))


def port_of(target: bytes) -> int:
    """Return the port of `host:port`, or of `http://host:port/path`."""
    return int(target.removeprefix(b"http://").split(b"/")[0].rsplit(b":", 1)[1])


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # Also when it is cut off with the loop, or the writer's end is a warning.
    with suppress(ConnectionError), closing(writer):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    listening = Proxy()
    await listening.come()
    yield listening
    listening.leave()


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
async def post(proxy: Proxy, authority: Authority) -> AsyncIterator[Post]:
    """POST a delivery through the proxy."""
    async with open_transport(
        opened=LOOPBACK,
        connect_timeout=WITHIN / 2,
        timeout=WITHIN,
        tls=Tls(authorities=authority.pem),
        proxy=f"http://carillon:s3cret@127.0.0.1:{proxy.port}",
    ) as transport:
        yield partial(post_webhook, transport)


async def test_a_webhook_goes_through_the_proxy_which_is_shown_our_credentials(
    work: Work, due: Due, proxy: Proxy, receiver: Receiver
) -> None:
    await work(due())

    assert receiver.tally.accepted == 1
    [head] = proxy.requests
    assert head.startswith(f"POST {receiver.url} HTTP/1.1\r\n".encode())
    assert base64.b64encode(b"carillon:s3cret") in head


async def test_while_the_proxy_fails_nothing_is_spent_counted_or_lost(  # noqa: PLR0913, PLR0917 (fixtures)
    work: Work,
    due: Due,
    retry: Retry,
    proxy: Proxy,
    breakers: Breakers,
    receiver: Receiver,
    deliveries: Rows,
    attempts: Rows,
    admin: Connection,
) -> None:
    proxy.leave()
    await work(*(due() for _ in range(12)))
    rows = await deliveries()
    waits = await admin.fetch("SELECT next_attempt_at - now() AS wait FROM delivery.deliveries")
    await proxy.come()
    proxy.answer = WANTS_PASSWORD
    assert await retry() == 12
    denied = await deliveries()
    proxy.answer = None
    assert await retry() == 12

    assert {(row["status"], row["attempts"], row["reason"]) for row in rows} == {
        ("pending", 0, "proxy failed")
    }
    assert all(timedelta(seconds=25) < row["wait"] <= timedelta(seconds=33) for row in waits)
    assert {(row["attempts"], row["reason"]) for row in denied} == {(0, "proxy wants other credentials")}
    assert [(row["attempt"], row["status"]) for row in await attempts()] == [(1, 204)] * 12
    assert breakers.most_admitted(DEFAULT_ENDPOINT_ID) is None
    assert await admin.fetch("SELECT * FROM delivery.failing_endpoints") == []
    assert receiver.tally.accepted == 12


class ToPost(Protocol):
    async def __call__(self, url: str) -> Outcome: ...


@pytest.fixture
async def post_to(take: Take, due: Due, post: Post) -> ToPost:
    """POST to any URL through the proxy."""
    [delivery] = await take(due())

    async def send(url: str) -> Outcome:
        return (await post(default_endpoint(url, new_secret(), timeout=WITHIN), delivery)).outcome

    return send


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "https://169.254.169.254/", "http://[::ffff:10.1.1.1]/"])
async def test_an_address_that_is_closed_to_us_is_closed_through_the_proxy_too(
    post_to: ToPost, proxy: Proxy, url: str
) -> None:
    assert isinstance(await post_to(url), Forbidden)
    assert proxy.requests == []


async def test_tls_is_the_endpoints_own_and_a_name_unknown_here_is_the_proxys_affair(
    post_to: ToPost, proxy: Proxy, authority: Authority, tmp_path: Path
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 407 From the endpoint\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (tmp_path / "server.pem").write_bytes(authority.issue(HOST))
    context.load_cert_chain(tmp_path / "server.pem")
    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]

        assert await post_to(f"https://{HOST}:{port}/") == Response(407)
        stranger = await post_to(f"https://somebody.invalid:{port}/")

    assert isinstance(stranger, NoResponse)
    assert stranger.kind == "tls_failed"
    assert [head.split(b"\r\n")[0] for head in proxy.requests] == [
        f"CONNECT {host}:{port} HTTP/1.1".encode() for host in (HOST, "somebody.invalid")
    ]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (WANTS_PASSWORD, NoResponse("proxy_failed", "proxy failed")),
        (b"", NoResponse("proxy_failed", "proxy failed")),
        (CANNOT_CONNECT, NoResponse("connection_failed", "the proxy could not connect")),
    ],
    ids=["wants a password", "breaks off", "cannot connect"],
)
async def test_a_tunnel_that_fails_is_the_proxys_fault_unless_it_could_not_connect(
    post_to: ToPost, proxy: Proxy, answer: bytes, outcome: Outcome
) -> None:
    proxy.answer = answer

    assert await post_to(f"https://{HOST}/") == outcome


async def test_a_proxy_that_is_away_is_told_from_an_endpoint_behind_it_that_is_silent(
    post_to: ToPost, proxy: Proxy
) -> None:
    async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    proxy.leave()
    away = await post_to(f"https://{HOST}/")
    async with await asyncio.start_server(keep_silent, "127.0.0.1", proxy.port):
        silent = await post_to(f"https://{HOST}/")

    assert away == NoResponse("proxy_failed", "proxy failed")
    assert silent == NoResponse("connect_timeout")
