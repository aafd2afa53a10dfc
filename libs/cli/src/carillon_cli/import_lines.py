"""An import over HTTP: lines go out while results come in; a lost connection is taken up where it ended."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from http import HTTPStatus

import aiohttp
import msgspec
from msgspec import Struct

from carillon_cli.cannot import CannotError
from carillon_cli.read_lines import LineReader, SourceLine

MEDIA_TYPE = "application/x-ndjson"
FIRST_WAIT, LONGEST_WAIT = 0.25, 5.0
CONNECT_SECONDS = 10
# Longer than the API takes for a batch or waits for a database: it answers within a second otherwise.
SILENCE_SECONDS = 120
# What is sent and not yet answered is kept, to be sent again.
MOST_KEPT_BYTES = 64 * 1024 * 1024
# What the API says when trying again helps.
PASSING = ("urn:carillon:problem:unavailable", "urn:carillon:problem:request-timeout")
PASSING_STATUSES = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)
MOST_PROBLEM_BYTES = 64 * 1024


class FieldFault(Struct, frozen=True):
    """What is wrong with one field of a line."""

    field: str
    reason: str


class Result(Struct, frozen=True, rename="camel"):
    """A line of the answer: of an input line, or the last, which tells how the import ended."""

    status: str
    line: int = 0
    errors: tuple[FieldFault, ...] = ()
    type: str | None = None
    reason: str | None = None
    through_line: int = 0


class Problem(Struct, frozen=True):
    """What is read of a problem document."""

    detail: str


class LostError(Exception):
    """The connection, or the API, went away; trying again may help."""


BLANK = Result("blank")
RESULT = msgspec.json.Decoder(Result)

OnResult = Callable[[SourceLine, Result], None]


class Import:
    """One import, over as many connections as it takes; `on_result` hears of each line once, in order."""

    def __init__(
        self, api_url: str, token: str | None, lines: LineReader, on_result: OnResult, *, retry_for: float
    ) -> None:
        self._url = f"{api_url.rstrip('/')}/user/import"
        self._headers = {"Content-Type": MEDIA_TYPE}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._lines = lines
        self._on_result = on_result
        self._retry_for = retry_for
        self._unanswered: deque[SourceLine] = deque()
        self._kept = 0
        self._room = asyncio.Event()
        self._answered = 0
        self._reached = False
        self._unreadable: OSError | None = None

    async def run(self) -> None:
        """Import all lines. Raises CannotError; what was committed by then stays."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
            lost_at, answered, wait = None, 0, FIRST_WAIT
            # No connection while there is nothing to send: a pipe may be silent for hours.
            while self._unanswered or await self._take():
                try:
                    await self._attempt(session)
                except LostError as error:
                    now = time.monotonic()
                    if lost_at is None or answered < self._answered:
                        lost_at, answered, wait = now, self._answered, FIRST_WAIT
                    if not self._reached:
                        raise CannotError(
                            f"cannot reach {self._url} ({error}): is the API running?"
                            " --api-url or CARILLON_API_URL says where it is"
                        ) from None
                    if now > lost_at + self._retry_for:
                        raise CannotError(
                            f"no answer from {self._url} for {self._retry_for:g} s ({error});"
                            " what was imported stays: repeat the command when the API is back"
                        ) from None
                    await asyncio.sleep(wait)
                    wait = min(wait * 2, LONGEST_WAIT)

    async def _attempt(self, session: aiohttp.ClientSession) -> None:
        before = self._answered
        try:
            async with session.post(
                self._url, data=self._body(), headers=self._headers, allow_redirects=False
            ) as answer:
                self._reached = True
                if answer.status != HTTPStatus.OK:
                    raise _refusal(answer.status, await answer.content.read(MOST_PROBLEM_BYTES))
                async for text in answer.content:
                    result = RESULT.decode(text)
                    if result.line:
                        self._answer(before + result.line, result)
                    elif result.status == "complete":
                        self._answer(before + result.through_line, BLANK)
                        return
                    elif result.type in PASSING:
                        raise LostError(result.reason)
                    else:
                        raise CannotError(f"the API stopped after line {self._answered}: {result.reason}")
        except (aiohttp.ClientError, OSError, msgspec.DecodeError) as error:
            if self._unreadable is not None:
                raise CannotError(f"cannot read on: {self._unreadable}") from None
            raise LostError(str(error) or type(error).__name__) from None
        raise LostError("the results ended too soon")

    async def _body(self) -> AsyncIterator[bytes]:
        lines: Sequence[SourceLine] = tuple(self._unanswered)
        while lines:
            yield b"".join([part for line in lines for part in (line.text, b"\n")])
            lines = await self._take()

    async def _take(self) -> list[SourceLine]:
        while self._kept > MOST_KEPT_BYTES:
            self._room.clear()
            await self._room.wait()
        try:
            lines = await self._lines.more()
        except OSError as error:
            self._unreadable = error
            raise
        self._unanswered.extend(lines)
        self._kept += sum(len(line.text) for line in lines)
        return lines

    def _answer(self, number: int, result: Result) -> None:
        # Lines of nothing but spaces have no result: the next one's tells that they are done.
        while self._answered < number:
            line = self._unanswered.popleft()
            self._answered = line.number
            self._kept -= len(line.text)
            self._on_result(line, result if line.number == number else BLANK)
        self._room.set()


def _refusal(status: int, body: bytes) -> Exception:
    try:
        detail = msgspec.json.decode(body, type=Problem).detail
    except msgspec.DecodeError:
        detail = "no answer of Carillon's API: --api-url or CARILLON_API_URL says where that is"
    if status in PASSING_STATUSES:
        return LostError(f"{status}: {detail}")
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        detail += " Give the token of an admin or a service with --token or CARILLON_TOKEN."
    return CannotError(f"the API answered {status}: {detail}")
