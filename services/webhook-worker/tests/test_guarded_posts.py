"""Where POSTs go when names lie: two receivers on one port, 127.0.0.1 (forbidden) and 127.0.0.2 (opened)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import IPv4Address, ip_address
from typing import Any
from uuid import uuid4

import httpx
import pytest
from domain.retry import Forbidden, NoResponse, Outcome, Response
from hypothesis import given
from hypothesis import strategies as st
from runtime.guard_hosts import Guard
from runtime.public_address import Address, forbidden_kind, read_networks
from testkit.ports import free_port
from testkit.receiver import new_secret
from webhook_worker.delivery import Delivery
from webhook_worker.endpoint import default_endpoint
from webhook_worker.open_transport import open_transport, pin_client
from webhook_worker.post_webhook import post_webhook
from webhook_worker.tls import Tls
from webhook_worker.transport import Transport

Post = Callable[[str], Coroutine[Any, Any, Outcome]]

FORBIDDEN, OPENED, DEAD = (ip_address(text) for text in ("127.0.0.1", "127.0.0.2", "127.0.0.3"))
NETWORKS = read_networks("127.0.0.2/31")
WITHIN = timedelta(seconds=2)
SECRET = new_secret()
# All of them 127.0.0.1, or on the way there.
SPELLINGS = (
    "127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 0x7f.0.0.1 017700000001 127.0.0.1. 127。0。0。1"
    " %31%32%37.0.0.1 0 0.0.0.0 [::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1]"
    " [64:ff9b::127.0.0.1] [64:ff9b:1::7f00:1] [2002:7f00:1::] [2001:0:7f00:1::] [fe80::1]"
)
INSIDE = ["10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/4"]
NUMBERS = ["{:d}", "0x{:x}", "0X{:08X}", "0{:o}"]


class Place:
    """Counts the connections to one address and answers every POST with 204."""

    def __init__(self) -> None:
        self.connections = 0
        self.hosts: list[str] = []
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                self.hosts.append(head.split("\r\nhost: ")[1].split("\r\n")[0])
                await reader.readexactly(int(head.split("content-length: ")[1].split("\r\n")[0]))
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


class Dns:
    """Answers as told, the last answer for ever."""

    def __init__(self) -> None:
        self.answers: list[Sequence[Address]] = [[OPENED]]

    async def __call__(self, _name: str) -> Sequence[Address]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Town(dict[Address, Place]):
    """The places by address, all on `port`."""

    port = 0


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    places = Town({FORBIDDEN: Place(), OPENED: Place()})
    places.port = free_port()
    servers = [
        await asyncio.start_server(place.serve, str(address), places.port)
        for address, place in places.items()
    ]
    yield places
    for server, place in zip(servers, places.values(), strict=True):
        server.close()
        place.hang_up()
        await server.wait_closed()


@pytest.fixture
def dns() -> Dns:
    return Dns()


@pytest.fixture
async def post(dns: Dns, town: Town) -> AsyncIterator[Post]:
    """POST to a host under the worker's own transport, asked anew each time where the name is."""
    guard = Guard(NETWORKS, within=2, keep=0, ask=dns)
    async with Transport(
        guard, partial(pin_client, connect_timeout=WITHIN, timeout=WITHIN, tls=Tls())
    ) as transport:
        yield lambda host: post_over(transport, f"http://{host}:{town.port}/")


async def post_over(transport: httpx.AsyncBaseTransport, url: str) -> Outcome:
    delivery = Delivery(
        id=uuid4(),
        created_at=datetime.now(UTC),
        event_id=uuid4(),
        endpoint_id=uuid4(),
        endpoint_version=0,
        attempt=1,
        lease_token=uuid4(),
        body="{}",
    )
    attempt = await post_webhook(transport, default_endpoint(url, SECRET, timeout=WITHIN), delivery)
    return attempt.outcome


@pytest.mark.parametrize("host", ["0177.0.0.1", "①②⑦.0.0.1", "[fe80::1%25lo]", "127.0.0.1.1", ""])
async def test_what_is_no_host_to_every_parser_is_not_connected_to(post: Post, town: Town, host: str) -> None:
    assert isinstance(await post(host), NoResponse | Forbidden)
    assert sum(place.connections for place in town.values()) == 0


@pytest.mark.parametrize("host", SPELLINGS.split())
async def test_no_spelling_of_a_forbidden_address_is_connected_to(post: Post, town: Town, host: str) -> None:
    outcome = await post(host)

    assert isinstance(outcome, Forbidden)
    assert outcome.reason.startswith("address not allowed: ")
    assert town[FORBIDDEN].connections == 0


async def test_no_other_scheme_is_spoken() -> None:
    async with open_transport(opened=NETWORKS, connect_timeout=WITHIN, timeout=WITHIN) as transport:
        for url in ("ftp://127.0.0.2/", "file:///etc/passwd", "gopher://127.0.0.2/", "data:,x"):
            assert await post_over(transport, url) == Forbidden("not an http or https URL")


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "localhost.", "bücher.localhost", "a_b.localhost"]
)
async def test_the_address_that_was_judged_is_the_one_connected_to(post: Post, town: Town, host: str) -> None:
    # The system's own resolver says 127.0.0.1 of every one of them, or nothing.
    assert await post(host) == Response(204)

    assert (town[OPENED].connections, town[FORBIDDEN].connections) == (1, 0)
    assert town[OPENED].hosts[0].endswith(f":{town.port}")


async def test_a_name_that_moves_into_our_network_is_not_followed_until_it_moves_out_again(
    post: Post, dns: Dns, town: Town
) -> None:
    dns.answers = [[OPENED], [FORBIDDEN], [ip_address("::1"), FORBIDDEN], [FORBIDDEN, OPENED], [OPENED]]

    outcomes = [await post("rebinding.example") for _ in range(5)]

    inside = NoResponse("not_allowed", "address not allowed: loopback")
    assert outcomes == [Response(204), inside, inside, Response(204), Response(204)]
    assert town[FORBIDDEN].connections == 0


async def test_a_name_without_an_address_is_an_attempt_that_is_made_again(post: Post, dns: Dns) -> None:
    dns.answers = [[], [OPENED]]

    assert await post("late.example") == NoResponse("name_not_resolved")
    assert await post("late.example") == Response(204)


async def test_where_one_address_is_dead_the_next_one_is_taken_and_kept(
    post: Post, dns: Dns, town: Town
) -> None:
    dns.answers = [[DEAD, OPENED]]
    first = await post("partner.example")
    revived = Place()
    server = await asyncio.start_server(revived.serve, str(DEAD), town.port)

    later = [await post("partner.example") for _ in range(5)]

    server.close()
    revived.hang_up()
    assert [first, *later] == [Response(204)] * 6
    assert len(town[OPENED].hosts) == 6


async def test_what_was_sent_to_one_address_before_the_connection_was_lost_is_not_sent_to_the_next_one(
    post: Post, dns: Dns, town: Town
) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        writer.close()

    dns.answers = [[DEAD, OPENED]]
    async with await asyncio.start_server(hang_up, str(DEAD), town.port):
        outcome = await post("partner.example")

    assert outcome == NoResponse("connection_lost")
    assert town[OPENED].connections == 0


async def test_where_every_address_is_dead_it_is_a_failed_connection(post: Post, dns: Dns) -> None:
    dns.answers = [[DEAD, DEAD]]

    assert await post("partner.example") == NoResponse("connection_failed")


async def test_a_connection_is_kept_while_the_order_of_the_addresses_changes(
    post: Post, dns: Dns, town: Town
) -> None:
    dns.answers = [[OPENED, DEAD], [DEAD, OPENED]] * 5

    assert [await post("partner.example") for _ in range(10)] == [Response(204)] * 10
    assert town[OPENED].connections <= 2


async def test_an_address_that_the_name_no_longer_has_is_no_longer_connected_to(
    post: Post, dns: Dns, town: Town
) -> None:
    dns.answers = [[OPENED], [DEAD], [OPENED]]

    outcomes = [await post("partner.example") for _ in range(3)]

    assert outcomes == [Response(204), NoResponse("connection_failed"), Response(204)]
    assert town[OPENED].connections == 2


@given(st.one_of(*(st.ip_addresses(network=network) for network in INSIDE)), st.sampled_from(NUMBERS))
def test_a_number_as_a_host_is_judged_as_the_address_that_it_is(address: IPv4Address, form: str) -> None:
    async def send() -> Outcome:
        async with open_transport(opened=(), connect_timeout=WITHIN, timeout=WITHIN) as transport:
            return await post_over(transport, f"http://{form.format(int(address))}/")

    assert asyncio.run(send()) == Forbidden(f"address not allowed: {forbidden_kind(address, ())}")
