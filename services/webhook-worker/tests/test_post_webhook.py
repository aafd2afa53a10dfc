import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from domain.retry import Failure, NoResponse, Response
from runtime.public_address import read_networks
from standardwebhooks import Webhook
from testkit.ports import free_port
from testkit.receiver import Receiver, Reply, new_secret
from testkit.wait import eventually
from webhook_worker.delivery import Attempt, Delivery
from webhook_worker.endpoint import Endpoint, default_endpoint
from webhook_worker.open_transport import open_transport
from webhook_worker.post_webhook import post_webhook, signed_request

Post = Callable[[Endpoint, Delivery], Coroutine[Any, Any, Attempt]]
PostTo = Callable[..., Coroutine[Any, Any, Attempt]]
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]

LOOPBACK = read_networks("127.0.0.0/8")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def a_delivery(body: str = '{"type": "birthday.due"}') -> Delivery:
    return Delivery(
        id=uuid4(),
        created_at=datetime.now(UTC),
        event_id=uuid4(),
        endpoint_id=uuid4(),
        endpoint_version=0,
        attempt=1,
        lease_token=uuid4(),
        body=body,
    )


class RawServer:
    """Answers each request with the bytes it is given, and keeps what it heard."""

    def __init__(self, answers: Callable[[], Answer]) -> None:
        self._answers = answers
        self.heard: list[bytes] = []
        self.connections = 0
        self.closed = 0
        self.url = ""
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                self.heard.append(head + await reader.readexactly(length))
                await self._answers()(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.closed += 1
        finally:
            writer.close()

    async def hang_up(self) -> None:
        """Close every connection, so that no handler is left waiting for its next request."""
        for writer in self._writers:
            writer.transport.abort()
        await eventually(lambda: self.closed == self.connections)


Serve = Callable[..., Awaitable[RawServer]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Listen and answer with bytes, or with what a function writes."""
    listening: list[tuple[asyncio.Server, RawServer]] = []

    async def start(answer: bytes | Answer) -> RawServer:
        async def write(writer: asyncio.StreamWriter) -> None:
            writer.write(cast("bytes", answer))
            await writer.drain()

        raw = RawServer(lambda: write if isinstance(answer, bytes) else answer)
        server = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
        listening.append((server, raw))
        raw.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        return raw

    yield start
    for server, raw in listening:
        server.close()
        await raw.hang_up()


@pytest.fixture
async def post_to() -> AsyncIterator[PostTo]:
    """POST to any URL over one transport, in at most 0.5 s."""
    half = timedelta(seconds=0.5)
    async with open_transport(opened=LOOPBACK, connect_timeout=half / 2, timeout=half) as transport:

        async def send(url: str, delivery: Delivery | None = None) -> Attempt:
            endpoint = default_endpoint(url, SECRET, timeout=half)
            return await post_webhook(transport, endpoint, delivery or a_delivery())

        yield send


def test_the_published_vector_comes_out_of_our_own_signing() -> None:
    vector = Delivery(
        id=uuid4(),
        created_at=datetime.now(UTC),
        event_id=cast("UUID", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        endpoint_id=uuid4(),
        endpoint_version=0,
        attempt=1,
        lease_token=uuid4(),
        body='{"test": 2432232314}',
    )

    request = signed_request(
        default_endpoint("http://127.0.0.1/", SECRET, timeout=timedelta(seconds=1)),
        vector,
        datetime.fromtimestamp(1614265330, UTC),
    )

    assert request.headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert request.headers["webhook-timestamp"] == "1614265330"
    assert request.content == b'{"test": 2432232314}'


async def test_the_receiver_verifies_what_is_sent_whatever_its_words(
    post: Post, endpoint: Endpoint, receiver: Receiver
) -> None:
    attempt = await post(endpoint, a_delivery('{"message":"Hey, Zoë 🎂 \\u0000 it\'s your birthday"}'))

    [arrived] = receiver.deliveries
    assert attempt.outcome == Response(204)
    assert (arrived.valid, arrived.webhook_id) == (True, str(attempt.delivery.event_id))
    assert arrived.headers["idempotency-key"] == arrived.webhook_id
    assert attempt.at <= arrived.received_at
    assert 0 < attempt.latency_ms < 1000


async def test_each_header_is_sent_once_and_the_signed_bytes_are_the_sent_ones(
    serve: Serve, post_to: PostTo
) -> None:
    server = await serve(b"HTTP/1.1 204 No Content\r\n\r\n")
    delivery = a_delivery()

    await post_to(server.url, delivery)

    head, _, body = server.heard[0].partition(b"\r\n\r\n")
    lines = [line.split(": ", 1) for line in head.decode().split("\r\n")[1:]]
    headers = {name.lower(): value for name, value in lines}
    assert sorted(headers) == [
        "accept",
        "content-length",
        "content-type",
        "host",
        "idempotency-key",
        "user-agent",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
    ]
    assert len(lines) == len(headers)
    assert body == delivery.body.encode()
    Webhook(SECRET).verify(body, headers)


async def test_each_attempt_is_signed_afresh_under_the_same_id(serve: Serve, post_to: PostTo) -> None:
    server = await serve(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n")
    delivery = a_delivery()

    first = await post_to(server.url, delivery)
    await eventually(lambda: int(datetime.now(UTC).timestamp()) > int(first.at.timestamp()))
    await post_to(server.url, delivery)

    ids, stamps = [
        [line for heard in server.heard for line in heard.split(b"\r\n") if line.lower().startswith(name)]
        for name in (b"webhook-id", b"webhook-timestamp")
    ]
    assert len(set(ids)) == 1
    assert len(set(stamps)) == 2
    assert server.connections == 1


@pytest.mark.parametrize("status", [200, 202, 301, 302, 400, 404, 410, 429, 500, 503])
async def test_a_status_is_what_it_is_and_redirects_are_not_followed(
    post: Post, endpoint: Endpoint, receiver: Receiver, status: int
) -> None:
    receiver.reply_with([Reply(status=status, headers={"Location": receiver.url})])

    assert (await post(endpoint, a_delivery())).outcome == Response(status)
    assert receiver.tally.received == 1


async def test_retry_after_is_read_in_seconds_and_as_a_date(
    post: Post, endpoint: Endpoint, receiver: Receiver
) -> None:
    in_a_minute = datetime.now(UTC) + timedelta(seconds=60)
    receiver.reply_with(
        [
            Reply(status=429, headers={"Retry-After": "7"}),
            Reply(status=503, headers={"Retry-After": f"{in_a_minute:%a, %d %b %Y %H:%M:%S GMT}"}),
            Reply(status=503, headers={"Retry-After": "soon"}),
        ]
    )

    outcomes = [(await post(endpoint, a_delivery())).outcome for _ in range(3)]

    assert outcomes[0] == Response(429, timedelta(seconds=7))
    assert isinstance(outcomes[1], Response)
    assert timedelta(seconds=57) < (outcomes[1].retry_after or timedelta(0)) <= timedelta(seconds=60)
    assert outcomes[2] == Response(503)


async def reset(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", "timeout"),
        (b"HTTP/1.1 200", "timeout"),
        (reset, "connection_lost"),
        (hang_up, "connection_lost"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "connection_lost"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 500 + b"\r\n", "connection_lost"),
    ],
    ids=["silence", "half a status line", "reset", "closed", "another protocol", "500 headers"],
)
async def test_what_is_no_answer_is_told_by_its_kind_and_in_time(
    serve: Serve, post_to: PostTo, answer: bytes | Answer, kind: Failure
) -> None:
    server = await serve(answer)

    attempt = await post_to(server.url)

    assert attempt.outcome == NoResponse(kind)
    assert attempt.latency_ms < 900
    await eventually(lambda: server.closed == 1, message="the connection was kept")


async def test_a_port_where_nobody_listens_and_a_name_nobody_has_are_told_apart(post_to: PostTo) -> None:
    refused = await post_to(f"http://127.0.0.1:{free_port()}/")
    nameless = await post_to("http://no-such-host.invalid/")

    assert refused.outcome == NoResponse("connection_failed")
    assert nameless.outcome == NoResponse("name_not_resolved")


async def test_a_host_that_does_not_accept_is_given_up_by_the_connect_timeout(post_to: PostTo) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(3)]  # they fill its backlog: the next SYN is dropped
        for one in waiting:
            one.settimeout(0)
            one.connect_ex(listener.getsockname())

        attempt = await post_to(f"http://127.0.0.1:{listener.getsockname()[1]}/")

        for one in waiting:
            one.close()
    assert attempt.outcome == NoResponse("connect_timeout")
    assert 200 < attempt.latency_ms < 450


@pytest.mark.parametrize(
    "rest",
    [
        b"content-length: 100\r\n\r\nnot all of it",
        b"transfer-encoding: chunked\r\n\r\nZZ\r\n",
        b"content-encoding: gzip\r\ncontent-length: 4\r\n\r\nzip?",
        b"server: caf\xe9\r\ncontent-length: 0\r\n\r\n",
        b"retry-after: \xe9\r\ncontent-length: 0\r\n\r\n",
    ],
    ids=["cut short", "bad chunks", "bad gzip", "a header that is not ASCII", "and that is read"],
)
async def test_a_200_is_an_answer_whatever_follows_it(serve: Serve, post_to: PostTo, rest: bytes) -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n" + rest)
        await writer.drain()
        if b"all of it" in rest:
            writer.close()

    server = await serve(answer)

    attempts = [await post_to(server.url) for _ in range(2)]

    assert [attempt.outcome for attempt in attempts] == [Response(200), Response(200)]


async def test_a_body_that_never_ends_holds_the_slot_a_second_and_not_longer(
    serve: Serve, post_to: PostTo
) -> None:
    server = await serve(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nand")
    started = asyncio.get_running_loop().time()

    attempt = await post_to(server.url)

    assert attempt.outcome == Response(200)
    assert attempt.latency_ms < 400
    assert asyncio.get_running_loop().time() - started < 1.5
    await eventually(lambda: server.closed == 1)


async def test_a_huge_answer_is_read_a_little_and_its_connection_dropped(
    serve: Serve, post_to: PostTo
) -> None:
    sent = 0

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    server = await serve(flood)

    outcomes = [(await post_to(server.url)).outcome for _ in range(2)]

    assert outcomes == [Response(200), Response(200)]
    assert server.connections == 2
    assert sent < 50_000_000  # what the sockets' buffers took


async def test_a_decent_body_is_read_to_its_end_and_the_connection_kept(
    serve: Serve, post_to: PostTo
) -> None:
    server = await serve(b"HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n" + b"x" * 60000)

    outcomes = [(await post_to(server.url)).outcome for _ in range(10)]

    assert outcomes == [Response(200)] * 10
    assert server.connections <= 3  # a connection may be back in the pool a moment too late for the next POST


async def test_a_connection_that_the_receiver_closed_meanwhile_is_replaced(
    serve: Serve, post_to: PostTo
) -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()  # without having said so

    server = await serve(answer)

    for heard in (1, 2, 3):
        assert (await post_to(server.url)).outcome == Response(204)
        await eventually(lambda: server.closed == heard)  # noqa: B023 (asked before the next turn)


async def test_what_cannot_even_be_sent_is_an_attempt_all_the_same(post_to: PostTo) -> None:
    attempt = await post_to("http://127.0.0.1:eighty/")

    assert attempt.outcome == NoResponse("unexpected", "InvalidURL: Invalid port: 'eighty'")


async def test_a_secret_that_the_receiver_does_not_have_is_a_401(receiver: Receiver, post_to: PostTo) -> None:
    assert receiver.secret != new_secret()

    assert (await post_to(receiver.url)).outcome == Response(401)
