import asyncio

import httpx
import pytest
from user_api import bounded_protocol

GET = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n"


async def _told(api: httpx.AsyncClient, *pieces: bytes) -> bytes:
    """Send the pieces, and read until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.base_url.port)
    async with asyncio.timeout(10):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        answer = await reader.read()
    writer.close()
    return answer


# The endless ones end with the first byte too many: an answer can get lost where more is on its way.
@pytest.mark.parametrize(
    ("pieces", "status", "kind"),
    [
        ([b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"], 414, "uri-too-long"),
        ([b"GET /", b"a" * (32 * 1024 - 4)], 414, "uri-too-long"),
        ([GET + b"A: b\r\n" * 100 + b"\r\n"], 431, "request-header-fields-too-large"),
        ([GET + b"A: ", b"b" * (32 * 1024 - len(GET) - 2)], 431, "request-header-fields-too-large"),
        ([b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"], 400, "bad-request"),
    ],
    ids=["an address", "an endless address", "headers", "an endless header", "TLS"],
)
async def test_a_head_beyond_its_bounds_is_refused_with_a_problem_document(
    api: httpx.AsyncClient, pieces: list[bytes], status: int, kind: str
) -> None:
    head, _, body = (await _told(api, *pieces)).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"content-type: application/problem+json" in head
    assert b'"type":"urn:carillon:problem:%b"' % kind.encode() in body


async def test_a_head_within_its_bounds_is_read_however_it_comes(api: httpx.AsyncClient) -> None:
    address = b"GET /health/live?" + b"a" * 8000 + b" HTTP/1.1\r\n"
    headers = b"Host: localhost\r\nConnection: close\r\nAuthorization: Bearer " + b"x" * 16384 + b"\r\n"
    more = b"A: b\r\n" * 97 + b"\r\n"

    answer = await _told(api, address[:5], address[5:], headers[:100], headers[100:], more)

    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_a_head_that_does_not_come_is_not_waited_for(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_protocol, "HEAD_SECONDS", 0.2)

    assert await _told(api) == b""
    assert (await _told(api, GET)).startswith(b"HTTP/1.1 408 ")
    # The second request of a connection as well.
    both = await _told(api, GET + b"\r\n" + GET)
    assert both.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in both
