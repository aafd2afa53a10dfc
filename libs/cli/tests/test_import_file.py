import asyncio
import io
import json
import subprocess
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from carillon_cli.cannot import CannotError
from carillon_cli.import_lines import Import
from carillon_cli.read_lines import LineReader
from testkit import build
from testkit.api_process import ApiProcess
from testkit.fresh_database import FreshDatabase
from testkit.ports import free_port
from testkit.wait import eventually

Command = Callable[..., Awaitable[Process]]


def _line(**fields: object) -> str:
    return json.dumps(build.user_body(**fields)) + "\n"


def _rejected(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(f"{file}.rejected.ndjson").read_text().splitlines()]


async def _ended(process: Process, stdin: bytes | None = None) -> tuple[int | None, str, str]:
    async with asyncio.timeout(60):
        out, err = await process.communicate(stdin)
    return process.returncode, out.decode(), err.decode()


async def test_a_file_is_imported_and_its_invalid_lines_are_kept_with_their_reasons(
    api: ApiProcess, carillon: Command, tmp_path: Path
) -> None:
    file = tmp_path / "users.ndjson"
    long = _line(key="3").rstrip().ljust(70_000)
    file.write_text(
        _line(key="1") + "\n" + _line(key="2", firstName="") + "{\n" + long + "\n" + _line(key="1")
    )

    code, out, err = await _ended(await carillon("import", file.name, "--api-url", api.url))

    assert (code, err) == (1, "")
    assert out.startswith("users.ndjson: 6 lines  1 created  1 exists  3 invalid  ")
    assert out.endswith("rejected: users.ndjson.rejected.ndjson\n")
    rejects = _rejected(file)
    assert [(reject["line"], reject["errors"][0]) for reject in rejects] == [
        (3, {"field": "firstName", "reason": "is blank"}),
        (4, {"field": "line", "reason": "is not JSON in UTF-8"}),
        (5, {"field": "line", "reason": "is longer than 64 KiB"}),
    ]
    assert rejects[0]["input"] == _line(key="2", firstName="").rstrip()

    # The rest comes from a pipe, by the other way to say where the API is.
    piped = await carillon("import", "-", CARILLON_API_URL=api.url)
    code, out, err = await _ended(piped, (_line(key="1") + _line(key="4")).encode())
    assert (code, err) == (0, "")
    assert out.startswith("stdin: 2 lines  1 created  1 exists  0 invalid  ")


def _resident_mib(pid: int | None) -> float:
    asked = ["ps", "-o", "rss=", "-p", str(pid)]
    return int(subprocess.run(asked, capture_output=True, check=True).stdout) / 1024  # noqa: S603 - POSIX has it


# So many that the kills, which take a moment to be decided, come long before the end.
LINES = 48_000


async def test_an_import_that_is_killed_and_whose_api_is_killed_creates_each_user_once_in_flat_memory(
    api: ApiProcess, carillon: Command, database: FreshDatabase, tmp_path: Path
) -> None:
    file, log = tmp_path / "users.ndjson", tmp_path / "user-api.log"
    with file.open("w") as lines:
        lines.writelines(_line(key=f"crm-{n}", email=f"ada{n}@example.com") for n in range(LINES))
    admin = await database.connect()

    async def stored() -> int:
        return int(await admin.fetchval("SELECT count(*) FROM users.users"))

    async def reached(count: int) -> None:
        async def enough() -> bool:
            return await stored() >= count

        await eventually(enough, within=60)

    command = ("import", file.name, "--api-url", api.url)
    first = await carillon(*command)
    await reached(1)
    first.kill()
    await first.wait()
    # What it had sent is still worked on, up to megabytes: what comes after that is the second one's work.
    await eventually(lambda: b"/user/import" in log.read_bytes(), within=60)
    by_first = await stored()
    second = await carillon(*command)
    await reached(by_first + 5_001)
    api.kill()
    when_killed = await stored()
    api.start()
    await reached(min(when_killed + 1, LINES))
    before = _resident_mib(api.pid), _resident_mib(second.pid)
    await reached(min(await stored() + 7_500, LINES))
    after = _resident_mib(api.pid), _resident_mib(second.pid)
    code, out, err = await _ended(second)

    assert (code, err) == (0, "")
    assert out.startswith(f"users.ndjson: {LINES:,} lines  ")
    created, exists, invalid = (int(said.split()[0].replace(",", "")) for said in out.split("  ")[1:4])
    assert (created + exists, invalid) == (LINES, 0)
    users = await admin.fetch("SELECT count(*), count(DISTINCT import_key) FROM users.users")
    told = await admin.fetch("SELECT count(*), count(DISTINCT group_id) FROM outbox.messages")
    assert [tuple(row) for row in (*users, *told)] == [(LINES, LINES)] * 2
    # Rough, for it counts what the allocator holds back; test_import_users.py counts to the byte.
    assert after[0] - before[0] < 8
    assert after[1] - before[1] < 8


async def test_what_cannot_be_is_one_line_that_says_what_to_do(carillon: Command) -> None:
    code, out, err = await _ended(await carillon("import", "nowhere.ndjson"))

    assert (code, out) == (2, "")
    assert err == "carillon: cannot read nowhere.ndjson: No such file or directory\n"


async def _why_not(url: str) -> str:
    lines = LineReader(io.BytesIO(_line(key="1").encode()))
    with pytest.raises(CannotError) as cannot:
        async with asyncio.timeout(20):
            await Import(url, "t0ken", lines, lambda _, __: None, retry_for=0.1).run()
    return str(cannot.value)


@pytest.mark.parametrize(
    "url",
    [f"http://127.0.0.1:{free_port()}", "nonsense", "ftp://127.0.0.1"],
    ids=["nobody listens", "no address", "no HTTP"],
)
async def test_an_api_that_is_not_there_is_told_at_once(url: str) -> None:
    assert (await _why_not(url)).startswith(f"cannot reach {url}/user/import (")


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (
            401,
            '{"detail": "Because."}',
            "the API answered 401: Because. Give the token of an admin or a service",
        ),
        (404, "<html>", "the API answered 404: no answer of Carillon's API: --api-url or CARILLON_API_URL"),
        (500, '{"detail": "Because."}', "the API answered 500: Because."),
        (
            503,
            '{"detail": "Because."}',
            "for 0.1 s (503: Because.); what was imported stays: repeat the command",
        ),
        (200, "", "for 0.1 s (the results ended too soon); what was imported stays"),
        (
            200,
            '{"line": 1, "status": "created"}\n{"status": "stopped", "throughLine": 1, "reason": "Because."}',
            "the API stopped after line 1: Because.",
        ),
    ],
)
async def test_an_api_that_refuses_is_told_with_its_reason(status: int, body: str, said: str) -> None:
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        await reader.readuntil(b"0\r\n\r\n")
        writer.write(f"HTTP/1.1 {status} -\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        why = await _why_not(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")

    assert said in why
    assert "\n" not in why
    assert b"Authorization: Bearer t0ken\r\n" in heads[0]
