import asyncio
import json
import socket
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Self
from uuid import UUID, uuid5

import asyncpg
import httpx
import pytest
from domain.events import Event, UserCreated
from hypothesis import given, settings
from hypothesis import strategies as st
from messaging.topology import load_topology
from runtime.encrypt import new_key, read_keys
from testkit import build
from testkit.fresh_database import FreshDatabase
from testkit.repository import find_topology
from testkit.wait import eventually
from user_api.context import Context
from user_api.import_users import import_users
from user_api.split_lines import MOST_LINE_BYTES, Line, split_lines

Emitted = Callable[[], Awaitable[list[Event]]]
Stored = Callable[[], Awaitable[tuple[int, int]]]
Results = list[dict[str, Any]]

NDJSON = {"Content-Type": "application/x-ndjson"}


def _line(**fields: object) -> bytes:
    return json.dumps(build.user_body(**fields)).encode()


def _keyed(numbers: Iterable[int]) -> list[bytes]:
    return [_line(key=f"crm-{number}", lastName=f"Nr {number}") for number in numbers]


async def _imported(api: httpx.AsyncClient, lines: list[bytes], query: str = "") -> tuple[Results, Any]:
    """Import, and give the results of the lines and the last line."""
    answer = await api.post(f"/user/import{query}", content=b"\n".join(lines), headers=NDJSON, timeout=60)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    *results, end = map(json.loads, answer.text.splitlines())
    return results, end


async def test_each_line_is_answered_in_order_and_a_broken_one_stops_no_other(
    api: httpx.AsyncClient, stored: Stored, emitted: Emitted
) -> None:
    known = (await api.post("/user", json=build.user_body(email="known@example.com"))).json()
    unknowable = (
        "is missing, and so is email: without either, repeating the import would create the user twice"
    )
    lines: list[tuple[bytes, str, list[tuple[str, str]]]] = [
        (_line(email="ada@example.com"), "created", []),
        (b"{", "invalid", [("line", "is not JSON in UTF-8")]),
        (b"[]", "invalid", [("line", "is not a JSON object")]),
        (b"\xff", "invalid", [("line", "is not JSON in UTF-8")]),
        (b"  \r", "", []),
        (_line(key="1"), "created", []),
        (_line(), "invalid", [("key", unknowable)]),
        (_line(key="", id="1"), "invalid", [("key", "is blank"), ("id", "is set by Carillon")]),
        (_line(key=7, firstName=""), "invalid", [("key", "is not text"), ("firstName", "is blank")]),
        (_line(key="2", dateOfBirth="2999-01-01"), "invalid", [("dateOfBirth", "is in the future")]),
        (_line(key="3").ljust(MOST_LINE_BYTES), "created", []),
        (_line(key="4").ljust(MOST_LINE_BYTES + 1), "invalid", [("line", "is longer than 64 KiB")]),
        (_line(key="4") + b"\r", "created", []),
        (_line(email="ADA@example.com"), "exists 1", []),
        (_line(key="1", email="other@example.com"), "exists 6", []),
        (_line(key="5", email="Known@Example.com"), "exists known", []),
        (_line(key="6", email="six@example.com"), "created", []),
        (_line(email="six@example.com"), "exists 17", []),
        (
            _line(key="7", email="six@example.com"),
            "invalid",
            [("email", "is taken by another user, of another key")],
        ),
    ]

    ids: dict[str, str | None] = {"exists known": known["id"]}
    for repeated in (False, True):
        results, end = await _imported(api, [line for line, _, _ in lines])
        if not repeated:
            ids |= {f"exists {result['line']}": result.get("id") for result in results}
        told = [(result["line"], result["status"]) for result in results]
        faults = [
            [(fault["field"], fault["reason"]) for fault in result.get("errors", [])] for result in results
        ]
        expected = [(number, *line[1:]) for number, line in enumerate(lines, 1) if line[1]]
        made = "exists" if repeated else "created"
        assert told == [
            (number, made if status == "created" else status.partition(" ")[0])
            for number, status, _ in expected
        ]
        assert faults == [errors for _, _, errors in expected]
        for result, (number, status, _) in zip(results, expected, strict=True):
            assert result.get("id") == ids.get(f"exists {number}" if status == "created" else status)
        counts = {"created": 0, "exists": 9} if repeated else {"created": 5, "exists": 4}
        assert end == {"status": "complete", "throughLine": len(lines), **counts, "invalid": 9}

    assert await stored() == (6, 6)
    events = await emitted()
    users = (await api.get("/user")).json()["items"]
    assert [type(event) for event in events] == [UserCreated] * 6
    assert {event.user_id for event in events if isinstance(event, UserCreated)} == {
        UUID(user["id"]) for user in users
    }


async def test_an_imported_user_is_as_a_created_one_for_everybody(
    api: httpx.AsyncClient, emitted: Emitted, database: FreshDatabase
) -> None:
    body = build.user_body(
        email="ada@example.com", sendAtLocal="10:30:15", leapDayPolicy="mar_1", dateOfBirth="2000-02-29"
    )
    created = (await api.post("/user", json=body)).json()
    await api.delete(f"/user/{created['id']}", headers={"If-Match": "*"})
    [result], _ = await _imported(api, [json.dumps({**body, "key": "1"}).encode()])
    imported = await api.get(f"/user/{result['id']}")

    own = ("id", "createdAt", "updatedAt")
    assert {**imported.json(), **{name: created[name] for name in own}} == created
    assert imported.headers["ETag"] == '"1"'
    first, _, second = await emitted()
    assert isinstance(first, UserCreated)
    assert isinstance(second, UserCreated)
    assert str(second.user_id) == result["id"]
    assert (second.first_date, second.send_at_local, second.leap_day_policy) == (
        first.first_date,
        first.send_at_local,
        first.leap_day_policy,
    )
    assert second.occurred_at == datetime.fromisoformat(imported.json()["createdAt"])
    admin = await database.connect()
    told = await admin.fetch("SELECT event_id, attributes, group_id FROM outbox.messages ORDER BY id")
    assert told[2]["event_id"] == uuid5(second.user_id, "1/UserCreated")
    assert told[2]["group_id"] == result["id"]
    assert told[2]["attributes"] == told[0]["attributes"]


async def test_imports_of_the_same_users_at_once_create_each_once(
    api: httpx.AsyncClient, stored: Stored
) -> None:
    lines = [_line(key=f"crm-{n}", email=f"ada{n}@example.com") for n in range(3000)]
    by_email = [_line(email=f"ADA{n}@example.com") for n in range(3000)]

    imports = await asyncio.gather(
        *(_imported(api, some) for some in (lines, lines[::-1], by_email, by_email[1000:]))
    )

    assert await stored() == (3000, 3000)
    assert sum(end["created"] for _, end in imports) == 3000
    assert [end["invalid"] for _, end in imports] == [0] * 4
    ids: dict[str, str] = {}
    for (results, _), some in zip(imports, (lines, lines[::-1], by_email, by_email[1000:]), strict=True):
        for result, line in zip(results, some, strict=True):
            email = json.loads(line)["email"].lower()
            assert ids.setdefault(email, result["id"]) == result["id"]


class Stream:
    """An import whose lines are sent when the test says, and whose results are read meanwhile."""

    def __init__(self, api: httpx.AsyncClient, *, unread: bool = False, query: str = "") -> None:
        self._port = api.base_url.port
        self._query = query
        self._unread = unread

    async def __aenter__(self) -> Self:
        plug = socket.socket()
        if self._unread:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plug.setblocking(False)  # noqa: FBT003 - its own signature
        await asyncio.get_running_loop().sock_connect(plug, ("127.0.0.1", self._port))
        self._reader, self._writer = await asyncio.open_connection(
            sock=plug, limit=4096 if self._unread else 2**20
        )
        head = [
            f"POST /user/import{self._query} HTTP/1.1",
            *("Host: localhost", "Content-Type: application/x-ndjson", "Transfer-Encoding: chunked"),
        ]
        self._writer.write("\r\n".join([*head, "", ""]).encode())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def send(self, lines: list[bytes]) -> None:
        body = b"".join(line + b"\n" for line in lines)
        self._writer.write(b"%x\r\n%s\r\n" % (len(body), body))
        await self._writer.drain()

    async def finish(self) -> None:
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()

    async def status(self) -> int:
        head = await self._reader.readuntil(b"\r\n\r\n")
        return int(head.split()[1])

    async def results(self) -> Results:
        """Read the next chunk; none is the end."""
        size = int(await self._reader.readuntil(b"\r\n"), 16)
        body = await self._reader.readexactly(size + 2)
        return [json.loads(line) for line in body[:size].splitlines()]


async def test_a_client_that_sends_slowly_hears_of_each_line_soon(api: httpx.AsyncClient) -> None:
    async with asyncio.timeout(20), Stream(api) as stream:
        for number in (1, 2):
            await stream.send(_keyed([number]))
            if number == 1:
                assert await stream.status() == 200
            [result] = await stream.results()
            assert (result["line"], result["status"]) == (number, "created")
        await stream.finish()
        [end] = await stream.results()
        assert (end["status"], end["throughLine"]) == ("complete", 2)
        assert await stream.results() == []


async def test_a_database_that_goes_in_the_middle_ends_the_results_with_what_is_committed(
    api: httpx.AsyncClient, database: FreshDatabase, stored: Stored
) -> None:
    admin = await database.connect()
    async with asyncio.timeout(30), Stream(api) as stream:
        await stream.send(_keyed(range(10)))
        assert await stream.status() == 200
        assert len(await stream.results()) == 10

        transaction = admin.transaction()
        await transaction.start()
        await admin.execute("LOCK TABLE users.users IN EXCLUSIVE MODE")
        await stream.send(_keyed(range(10, 30)))
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'users.users'::regclass"
        await eventually(lambda: admin.fetchval(waits))
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'carillon_user_api' AND datname = current_database()"
        )
        [end] = await stream.results()
        await transaction.rollback()

    assert (end["status"], end["type"], end["throughLine"]) == (
        "stopped",
        "urn:carillon:problem:unavailable",
        10,
    )
    assert await stored() == (10, 10)
    results, end = await _imported(api, _keyed(range(30)))
    assert [result["status"] for result in results] == ["exists"] * 10 + ["created"] * 20
    assert await stored() == (30, 30)


async def test_an_event_that_cannot_be_appended_takes_its_batch_with_it(
    api: httpx.AsyncClient, database: FreshDatabase, stored: Stored
) -> None:
    admin = await database.connect()
    await admin.execute("REVOKE EXECUTE ON FUNCTION outbox.append FROM carillon_user_api")

    answer = await api.post("/user/import", content=b"\n".join(_keyed(range(10))), headers=NDJSON)

    # Nothing was committed yet, so the whole answer can be the problem.
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "application/problem+json")
    assert await stored() == (0, 0)


async def test_a_client_that_writes_all_before_it_reads_is_told_so_instead_of_hanging(
    api: httpx.AsyncClient, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("user_api.answer_import.UNREAD_SECONDS", 0.3)
    monkeypatch.setattr("user_api.import_users.BATCH_LINES", 500)
    # Twenty faults a line, and lines of 2 kB: more than the buffers of a connection hold, both ways.
    faulty = json.dumps({f"f{number}": 1 for number in range(20)}).encode().ljust(2000)
    for query, status in (("?results=invalid", "complete"), ("", "stopped")):
        async with asyncio.timeout(60), Stream(api, unread=True, query=query) as stream:
            await stream.send(_keyed([1]))
            for _ in range(20):
                await stream.send(_keyed(range(2000)) if query else [faulty] * 500)
            await stream.finish()

            assert await stream.status() == 200
            through, end = 0, None
            while results := await stream.results():
                through = results[-1].get("line", through)
                end = results[-1]
            assert end is not None
            assert end["status"] == status
            if status == "stopped":
                assert end["type"] == "urn:carillon:problem:results-unread"
                assert end["throughLine"] == through < 10_001
    assert await stored() == (2000, 2000)


async def test_a_client_that_stops_sending_is_not_waited_for(
    api: httpx.AsyncClient, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("user_api.answer_import.IDLE_SECONDS", 0.3)
    monkeypatch.setattr("user_api.import_users.BATCH_SECONDS", 0.01)
    async with asyncio.timeout(20), Stream(api) as stream:
        assert await stream.status() == 408
    async with asyncio.timeout(20), Stream(api) as stream:
        await stream.send(_keyed([1]))
        assert await stream.status() == 200
        assert [result["status"] for result in await stream.results()] == ["created"]
        [end] = await stream.results()
    assert (end["status"], end["throughLine"], end["type"]) == (
        "stopped",
        1,
        "urn:carillon:problem:request-timeout",
    )
    assert await stored() == (1, 1)


async def test_an_import_needs_no_more_memory_the_longer_it_is(
    database: FreshDatabase, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("user_api.import_users.BATCH_LINES", 100)

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, 2_500, 100):
            yield b"\n".join([*_keyed(range(start, start + 100)), b""])

    async with asyncpg.create_pool(database.url("carillon_user_api"), min_size=1, max_size=1) as pool:
        topology = load_topology(find_topology(pytestconfig.rootpath))
        context = Context(
            pool=pool, topology=topology, clock_offset=timedelta(), keys=read_keys(new_key("test"))
        )
        held: list[int] = []
        tracemalloc.start()
        try:
            async for committed in import_users(context, split_lines(chunks())):
                held.append(tracemalloc.get_traced_memory()[1])
                tracemalloc.reset_peak()
                assert {result.status for result in committed.results} == {"created"}
        finally:
            tracemalloc.stop()

    # 1,500 lines lie between; one that is kept takes 700 bytes and more.
    assert len(held) == 25
    assert max(held[20:]) - max(held[:5]) < 200_000


async def test_what_is_not_an_import_is_refused_before_it_is_read(
    api: httpx.AsyncClient, stored: Stored
) -> None:
    line = _keyed([1])[0]
    wrong = await api.post("/user/import", content=line, headers={"Content-Type": "application/json"})
    unknown = await api.post("/user/import?results=none&batch=1", content=line, headers=NDJSON)
    results = await api.post("/user/import?results=none", content=line, headers=NDJSON)
    nothing = await api.post("/user/import", content=b"", headers=NDJSON)

    assert (wrong.status_code, wrong.headers["Accept-Post"]) == (415, "application/x-ndjson")
    assert [error["field"] for error in unknown.json()["errors"]] == ["batch"]
    assert [error["field"] for error in results.json()["errors"]] == ["results"]
    assert nothing.json() == {"status": "complete", "throughLine": 0, "created": 0, "exists": 0, "invalid": 0}
    assert await stored() == (0, 0)


@settings(max_examples=200, deadline=None)
@given(
    pieces=st.lists(
        st.sampled_from([b"\n", b"a", b"{}", b"\n\n", b"x" * 70_000, b"y" * 40_000]), max_size=12
    ),
    cuts=st.lists(st.integers(0, 300_000), max_size=6),
)
async def test_lines_are_the_same_however_the_body_is_cut(pieces: list[bytes], cuts: list[int]) -> None:
    body = b"".join(pieces)
    ends = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})

    async def chunks() -> AsyncIterator[bytes]:
        for begin, end in pairwise(ends):
            yield body[begin:end]

    lines = [line async for some in split_lines(chunks()) for line in some]

    expected = body.removesuffix(b"\n").split(b"\n") if body else []
    assert lines == [
        Line(number, text if len(text) <= MOST_LINE_BYTES else None)
        for number, text in enumerate(expected, 1)
    ]
