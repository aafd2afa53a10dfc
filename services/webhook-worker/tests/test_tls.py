"""TLS to a server on a name that only the guard resolves: it must be who its URL says."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from uuid import uuid4

import pytest
from domain.retry import NoResponse, Outcome, Response
from runtime.guard_hosts import Guard
from runtime.public_address import Address, read_networks
from runtime.settings import SettingsError
from testkit.certificates import Authority
from testkit.receiver import new_secret
from testkit.service_process import StartService, said
from webhook_worker.delivery import Delivery
from webhook_worker.endpoint import default_endpoint
from webhook_worker.open_transport import pin_client
from webhook_worker.post_webhook import post_webhook
from webhook_worker.tls import Tls, read_tls
from webhook_worker.transport import Transport

Serve = Callable[..., Awaitable[int]]
WITHIN = timedelta(seconds=5)
HOST = "partner.example"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    """Answer 204 over TLS, to clients that `clients` vouches for where it is given; return the port."""
    servers: list[asyncio.Server] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        writer.close()

    async def start(certificate: bytes, clients: Authority | None = None) -> int:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        path = tmp_path / "server.pem"
        path.write_bytes(certificate)
        context.load_cert_chain(path)
        if clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=clients.pem.decode())
        servers.append(await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context))
        return int(servers[-1].sockets[0].getsockname()[1])

    yield start
    for server in servers:
        server.close()


async def post(tls: Tls, port: int) -> Outcome:
    async def ask(_name: str) -> Sequence[Address]:
        return [ip_address("127.0.0.1")]

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
    endpoint = default_endpoint(f"https://{HOST}:{port}/", new_secret(), timeout=WITHIN)
    guard = Guard(read_networks("127.0.0.0/8"), within=5, ask=ask)
    pin = partial(pin_client, connect_timeout=WITHIN, timeout=WITHIN, tls=tls)
    async with Transport(guard, pin) as transport:
        return (await post_webhook(transport, endpoint, delivery)).outcome


async def test_an_authority_of_our_own_is_trusted_for_the_name_in_the_url_though_the_address_is_pinned(
    serve: Serve, authority: Authority
) -> None:
    port = await serve(authority.issue(HOST))

    assert await post(Tls(authorities=authority.pem), port) == Response(204)


async def test_every_authority_in_the_file_is_trusted(serve: Serve, authority: Authority) -> None:
    port = await serve(authority.issue(HOST))

    assert await post(Tls(authorities=Authority("another").pem + authority.pem), port) == Response(204)
    assert await post(Tls(authorities=authority.pem + Authority("another").pem), port) == Response(204)


async def test_who_is_vouched_for_by_nobody_we_trust_or_is_somebody_else_gets_nothing(
    serve: Serve, authority: Authority
) -> None:
    right, wrong = await serve(authority.issue(HOST)), await serve(authority.issue("somebody.example"))

    strangers = [
        await post(Tls(), right),
        await post(Tls(authorities=Authority().pem), right),
        await post(Tls(authorities=authority.pem), wrong),
    ]

    assert {outcome.kind for outcome in strangers if isinstance(outcome, NoResponse)} == {"tls_failed"}
    assert [
        isinstance(outcome, NoResponse) and outcome.reason.startswith("TLS failed: invalid peer certificate")
        for outcome in strangers
    ] == [True] * 3


async def test_an_endpoint_that_asks_for_a_certificate_is_shown_ours(
    serve: Serve, authority: Authority
) -> None:
    clients = Authority("clients")
    port = await serve(authority.issue(HOST), clients)

    assert await post(Tls(authorities=authority.pem, identity=clients.issue("carillon")), port) == Response(
        204
    )
    assert isinstance(await post(Tls(authorities=authority.pem), port), NoResponse)


def test_files_are_read_and_none_need_be_named(tmp_path: Path, authority: Authority) -> None:
    ca, certificate = tmp_path / "ca.pem", tmp_path / "certificate.pem"
    ca.write_bytes(authority.pem)
    certificate.write_bytes(identity := authority.issue("carillon"))

    assert read_tls(str(ca), str(certificate)) == Tls(authorities=authority.pem, identity=identity)
    assert read_tls("", "") == Tls()


@pytest.mark.parametrize("content", [None, b"", b"no PEM", b"\xff", b"-----BEGIN CERTIFICATE-----\nZm9v\n"])
def test_a_file_that_is_not_there_or_holds_something_else_is_refused_by_its_variable(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "some.pem"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(SettingsError, match=r"^WEBHOOK_CA_FILE (cannot be read|has no certificates)"):
        read_tls(str(path), "")
    with pytest.raises(SettingsError, match=r"^WEBHOOK_CERTIFICATE_FILE (cannot be read|has no certificate)"):
        read_tls("", str(path))


async def test_a_bad_file_ends_the_process_with_one_line_that_names_its_variable(
    start_service: StartService, worker_environment: dict[str, str], encryption_keys: str
) -> None:
    own = {
        "ENCRYPTION_KEYS": encryption_keys,
        "WEBHOOK_URL": f"https://{HOST}/",
        "WEBHOOK_SECRET": new_secret(),
        "WEBHOOK_CA_FILE": "/nowhere.pem",
    }
    process = await start_service("webhook_worker", {**worker_environment, **own})

    line = "webhook-worker: WEBHOOK_CA_FILE cannot be read: No such file or directory"
    assert await said(process) == (2, [line])
