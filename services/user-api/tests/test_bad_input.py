import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from testkit import build
from user_api.parse_user import parse_user
from user_api.refusals import InvalidInputError

Stored = Callable[[], Awaitable[tuple[int, int]]]

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MIB = 1024 * 1024

NOT_A_DATE = [
    "",
    "2001-02-29",
    "2001-13-01",
    "0000-01-01",
    "1-1-1990",
    "19900101",
    "1990-12-10T00:00:00Z",
    " ",
]
NOT_A_ZONE = ["", "Mars/Olympus", "europe/london", "../UTC", "+02:00", " UTC", "\ud800"]
NOT_A_TIME = ["", "9:00", "24:00", "09:60", "09:00:60", "09:00Z", "09:00:00.5", "٠٩:٠٠"]  # noqa: RUF001 - digits
NOT_AN_EMAIL = [
    *("", "ada", "ada@", "@example.com", "ada@example", "a da@example.com", "ada@@example.com"),
    *(
        "ada@example..com",
        ".ada@example.com",
        "ada@-example.com",
        "ada\n@example.com",
        "ada@example.com\u0000",
    ),
    *("<ada@example.com>", "\ud800@example.com", f"{'a' * 65}@example.com", f"a@{'a.' * 126}com"),
]
NOT_A_NAME = ["", "  ", "\u200b", "a\u0000b", "a\nb", "a\u009bb", "a\u2028b", "\ud800", "a" * 101]
NOT_A_POLICY = ["", "feb_29", "FEB_28"]
BAD: dict[str, list[str]] = {
    "firstName": NOT_A_NAME,
    "lastName": NOT_A_NAME,
    "dateOfBirth": [*NOT_A_DATE, "2999-01-01"],
    "timezone": NOT_A_ZONE,
    "email": NOT_AN_EMAIL,
    "sendAtLocal": NOT_A_TIME,
    "leapDayPolicy": NOT_A_POLICY,
}
NOT_TEXT: list[Any] = [1, 1.5, True, [], {}, ["Ada"], 10**400]


def _sent(body: object) -> bytes:
    return json.dumps(body).encode()


async def _refused(api: httpx.AsyncClient, content: bytes) -> list[str]:
    answer = await api.post("/user", content=content)
    problem = answer.json()
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["type"] == "urn:carillon:problem:invalid-input"
    assert problem["status"] == 400
    assert problem["instance"] == "/user"
    assert problem["requestId"] == answer.headers["X-Request-Id"]
    return [error["field"] for error in problem["errors"]]


@pytest.mark.parametrize("field", BAD)
async def test_a_bad_value_is_named_and_stores_nothing(
    api: httpx.AsyncClient, stored: Stored, field: str
) -> None:
    for value in [*BAD[field], *NOT_TEXT]:
        assert await _refused(api, _sent({**build.user_body(), field: value})) == [field], value
    assert await stored() == (0, 0)


@pytest.mark.parametrize("field", ["firstName", "lastName", "dateOfBirth", "timezone"])
async def test_a_missing_field_is_named_and_stores_nothing(
    api: httpx.AsyncClient, stored: Stored, field: str
) -> None:
    left_out = {name: value for name, value in build.user_body().items() if name != field}

    assert await _refused(api, _sent(left_out)) == [field]
    assert await _refused(api, _sent({**left_out, field: None})) == [field]
    assert await stored() == (0, 0)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"null", b"[]", b'"Ada"', b"1", b"{", b"Ada", b"\xff", b"\xef\xbb\xbf{}", b"[" * 100_000),
        "{}".encode("utf-16"),
        b'{"firstName": "a\nb"}',
        b'{"firstName": ' + b"9" * 5000 + b"}",
    ],
    ids=repr,
)
async def test_a_body_that_is_no_json_object_is_named_and_stores_nothing(
    api: httpx.AsyncClient, stored: Stored, content: bytes
) -> None:
    assert await _refused(api, content) == ["body"]
    assert await stored() == (0, 0)


async def test_everything_at_fault_is_told_at_once(api: httpx.AsyncClient, stored: Stored) -> None:
    body = {
        "firstName": " ",
        "dateOfBirth": "2999-01-01",
        "timezone": "Mars/Olympus",
        "email": 1,
        "sendAtLocal": "25:00",
        "leapDayPolicy": "never",
        "nickname": "Ada",
        "id": "1",
    }
    answer = await api.post("/user", json=body)

    assert answer.status_code == 400
    assert answer.json()["errors"] == [
        {"field": "firstName", "reason": "is blank"},
        {"field": "lastName", "reason": "is missing"},
        {"field": "timezone", "reason": "is not an IANA time zone, such as Asia/Tokyo"},
        {"field": "email", "reason": "is not text"},
        {"field": "sendAtLocal", "reason": "is not a local time as HH:MM or HH:MM:SS"},
        {"field": "leapDayPolicy", "reason": "is none of feb_28, mar_1, skip"},
        {"field": "id", "reason": "is set by Carillon"},
        {"field": "nickname", "reason": "is not a field of a user"},
        {"field": "dateOfBirth", "reason": "is in the future"},
    ]
    assert await stored() == (0, 0)


async def test_a_reason_never_repeats_the_value(api: httpx.AsyncClient) -> None:
    answer = await api.post("/user", json=build.user_body(email="secret", timezone="secret"))

    assert "secret" not in answer.text


async def test_a_million_unknown_fields_get_a_short_answer(api: httpx.AsyncClient, stored: Stored) -> None:
    unknown = {f"{place:>090}": 1 for place in range(9_000)}
    fields = await _refused(api, _sent({**build.user_body(), **unknown, "\ud800" * 200: 1}))

    assert len(fields) == 20
    assert await stored() == (0, 0)


async def test_a_body_beyond_one_mebibyte_is_refused_and_stores_nothing(
    api: httpx.AsyncClient, stored: Stored
) -> None:
    body = _sent(build.user_body())

    fits = await api.post("/user", content=body.ljust(MIB))
    refused = await api.post("/user", content=body.ljust(MIB + 1))

    assert (fits.status_code, refused.status_code) == (201, 413)
    assert refused.json()["errors"] == [{"field": "body", "reason": "is larger than 1 MiB"}]
    assert await stored() == (1, 1)


async def test_a_chunked_body_beyond_one_mebibyte_is_refused_and_stores_nothing(
    api: httpx.AsyncClient, stored: Stored
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield _sent(build.user_body())
        for _ in range(20):
            yield b" " * 65536

    answer = await api.post("/user", content=chunks())

    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert await stored() == (0, 0)


async def test_a_body_announced_too_large_is_refused_before_it_is_sent(
    api: httpx.AsyncClient, stored: Stored
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", api.base_url.port)
    writer.write(b"POST /user HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048577\r\n\r\n")
    async with asyncio.timeout(5):
        answer = await reader.readuntil(b"\r\n")
    writer.close()

    assert answer == b"HTTP/1.1 413 Request Entity Too Large\r\n"
    assert await stored() == (0, 0)


async def test_a_chunked_body_within_the_limit_is_taken(api: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for byte in _sent(build.user_body()):
            yield bytes([byte])

    assert (await api.post("/user", content=chunks())).status_code == 201


def _wrong(field: str) -> st.SearchStrategy[tuple[str, object]]:
    not_text = st.one_of(st.integers(), st.booleans(), st.floats(), st.lists(st.text()))
    return st.tuples(st.just(field), st.one_of(st.sampled_from(BAD[field]), not_text))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    wrong=st.lists(st.sampled_from(sorted(BAD)).flatmap(_wrong), min_size=1, unique_by=lambda fault: fault[0])
)
async def test_whatever_is_wrong_every_field_at_fault_is_named_and_nothing_stored(
    api: httpx.AsyncClient, stored: Stored, wrong: list[tuple[str, object]]
) -> None:
    fields = await _refused(api, _sent({**build.user_body(), **dict(wrong)}))

    assert set(fields) == {field for field, _ in wrong}
    assert await stored() == (0, 0)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet=st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(sorted(BAD)), inner),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(document=JSON)
def test_no_json_at_all_breaks_the_reader(document: object) -> None:
    with pytest.raises(InvalidInputError):
        parse_user(_sent(document), now=NOW)


@settings(max_examples=300, deadline=None)
@given(body=st.binary())
def test_no_bytes_at_all_break_the_reader(body: bytes) -> None:
    with pytest.raises(InvalidInputError):
        parse_user(body, now=NOW)
