"""The HTTP of an import: results go out while lines still come in, and the last line tells how it ended."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, suppress
from typing import Literal

import msgspec
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec import Struct

from user_api.context import Context
from user_api.import_users import Committed, import_users
from user_api.problem import Problem, problem_type
from user_api.problems import translate
from user_api.refusals import ClientGoneError, ResultsUnreadError, TooSlowError
from user_api.split_lines import split_lines

MEDIA_TYPE = "application/x-ndjson"
# Without a byte from the client for this long, it is thought to be gone.
IDLE_SECONDS = 60.0
# What a client may leave unread, in time: the connection's buffers were full before this began.
UNREAD_SECONDS = 15.0

_encoder = msgspec.json.Encoder()


class ImportEnd(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The last line: all up to `through_line` is done for good; if it stopped there, why."""

    status: Literal["complete", "stopped"]
    through_line: int
    created: int
    exists: int
    invalid: int
    type: str | None = None
    reason: str | None = None


def answer_import(context: Context, *, only_invalid: bool) -> ASGIApp:
    """Make what imports a request's body and answers what became of each line, or of the invalid ones only.

    Before the first batch is in, an error has a status of its own; after it, the last line tells.
    """

    async def answer(_: Scope, receive: Receive, send: Send) -> None:
        output = _Output(send, only_invalid=only_invalid)
        problem = None
        try:
            async with aclosing(import_users(context, split_lines(_chunks(receive)))) as batches:
                async for committed in batches:
                    await output.add(committed)
        except (Exception, asyncio.CancelledError) as error:
            if not output.started:
                raise
            problem = translate(error)
            if isinstance(error, ResultsUnreadError):
                await output.wait_until_read(receive)
        await output.end(problem)

    return answer


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                message = await receive()
        except TimeoutError:
            raise TooSlowError from None
        if message["type"] != "http.request":
            raise ClientGoneError
        if message["body"]:
            yield message["body"]
        more = message["more_body"]


class _Output:
    """What is answered, and how far it has come."""

    def __init__(self, send: Send, *, only_invalid: bool) -> None:
        self._send = send
        self._only_invalid = only_invalid
        self._through = 0
        self._counts = {"created": 0, "exists": 0, "invalid": 0}
        self._sending: asyncio.Future[None] | None = None
        self.started = False

    async def add(self, committed: Committed) -> None:
        """Answer a batch. Raises ResultsUnreadError."""
        self._through = committed.through
        for result in committed.results:
            self._counts[result.status] += 1
        await self._start()
        shown = committed.results
        if self._only_invalid:
            shown = [result for result in shown if result.status == "invalid"]
        if shown:
            await self._put(shown, more=True, within=UNREAD_SECONDS)

    async def end(self, problem: Problem | None) -> None:
        """Answer the last line."""
        if self._sending is not None:
            self._sending.cancel()  # the client never read on: there is no telling it why
            return
        await self._start()
        last = ImportEnd(
            status="stopped" if problem else "complete",
            through_line=self._through,
            created=self._counts["created"],
            exists=self._counts["exists"],
            invalid=self._counts["invalid"],
            type=problem_type(problem) if problem else None,
            reason=problem.detail if problem else None,
        )
        with suppress(ResultsUnreadError):
            await self._put([last], more=False, within=IDLE_SECONDS)

    async def wait_until_read(self, receive: Receive) -> None:
        """Wait until the client reads on, and drop what it sends: perhaps it writes all before it reads."""
        if self._sending is None:
            return
        with suppress(ClientGoneError, TooSlowError):
            async for _ in _chunks(receive):
                if self._sending.done():
                    break
        await asyncio.wait({self._sending}, timeout=IDLE_SECONDS)
        if self._sending.done():
            self._sending = None

    async def _start(self) -> None:
        if not self.started:
            self.started = True
            headers = [(b"content-type", MEDIA_TYPE.encode())]
            await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def _put(self, lines: Sequence[Struct], *, more: bool, within: float) -> None:
        body = _encoder.encode_lines(lines)
        # A task: a send that is cut short would leave the connection with half a chunk.
        self._sending = asyncio.ensure_future(
            self._send({"type": "http.response.body", "body": body, "more_body": more})
        )
        await asyncio.wait({self._sending}, timeout=within)
        if not self._sending.done():
            raise ResultsUnreadError
        self._sending.result()
        self._sending = None
