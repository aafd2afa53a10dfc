"""HTTP/1.1 with bounds on a request's head, which httptools and uvicorn do not have: size and time.

What cannot be read is answered here, with a problem document like everything else; it reaches no application.
"""

import asyncio
from typing import Any

import structlog
from uuid_utils import uuid4
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from user_api.problem import MEDIA_TYPE, Problem, document

log = structlog.get_logger()

MOST_ADDRESS = 8 * 1024  # RFC 9112 §3 asks for at least 8,000 octets
MOST_HEAD = 32 * 1024  # and as much again as one read brings: a large token fits in many times
MOST_HEADERS = 100
HEAD_SECONDS = 10.0

UNREADABLE = Problem(
    kind="bad-request", title="Bad Request", status=400, detail="This is no HTTP/1.1 request."
)
ADDRESS_TOO_LONG = Problem(
    kind="uri-too-long", title="URI Too Long", status=414, detail="An address may have 8 KiB."
)
HEAD_TOO_LARGE = Problem(
    kind="request-header-fields-too-large",
    title="Request Header Fields Too Large",
    status=431,
    detail="A request may have 100 headers, and 32 KiB of them.",
)
HEAD_TOO_SLOW = Problem(
    kind="request-timeout", title="Request Timeout", status=408, detail="The request did not come in time."
)


class TooLargeError(Exception):
    """The parser is to stop."""


class BoundedProtocol(HttpToolsProtocol):
    """A connection: its requests are uvicorn's affair once their heads are complete."""

    # From the connection, and then from the first byte of a request, until its head is complete.
    _in_head = True
    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None
    _problem = UNREADABLE

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a head that is not complete after that counts as far as it came."""
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._start_timer()
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD:
                self._problem = HEAD_TOO_LARGE if self.headers else ADDRESS_TOO_LONG
                self.send_400_response("")

    def on_message_begin(self) -> None:
        """Begin a head."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        """Take the request in. Raises TooLargeError, at which the parser stops."""
        self._in_head = False
        self._stop_timer()
        if len(self.url) > MOST_ADDRESS:
            self._problem = ADDRESS_TOO_LONG
            raise TooLargeError
        if len(self.headers) > MOST_HEADERS:
            self._problem = HEAD_TOO_LARGE
            raise TooLargeError
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be read, as uvicorn does when the parser stops, and close."""
        problem, request_id = self._problem, str(uuid4())
        log.info("request.unreadable", status=problem.status, requestId=request_id, reason=msg)
        scope: Any = {"raw_path": b"", "state": {"request_id": request_id}}
        body = document(scope, problem)
        head = f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[problem.status] + head.encode() + body)
        self.transport.close()

    def _start_timer(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_slow(self) -> None:
        if self.transport.is_closing():
            return
        if self._head_bytes:
            self._problem = HEAD_TOO_SLOW
            self.send_400_response("")
        else:
            self.transport.close()
