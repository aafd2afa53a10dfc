"""The access log: one JSON line a request, and the id by which a request is found again."""

import re
import time
from datetime import UTC, datetime

import structlog
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils import uuid4

from user_api.measure_requests import measure_request

log = structlog.get_logger()

REQUEST_ID = b"x-request-id"
_SANE_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
# A path may be mistyped, with an e-mail address where an id belongs; such a one stays out of the log.
_SANE_PATH = re.compile(rb"[A-Za-z0-9/._-]{1,200}")


class AccessLog:
    """Wraps the application: gives each request its id, logs one line, without bodies, and counts it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request and log it."""
        started, requested_at = time.perf_counter(), datetime.now(UTC)
        request_id = _request_id(scope)
        scope["state"] = {"request_id": request_id}
        structlog.contextvars.bind_contextvars(requestId=request_id)
        status = length = 0

        async def measured(message: Message) -> None:
            nonlocal status, length
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (REQUEST_ID, request_id.encode())]
            elif message["type"] == "http.response.body":
                length += len(message["body"])
            await send(message)

        try:
            await self._app(scope, receive, measured)
        finally:
            seconds = time.perf_counter() - started
            measure_request(scope, status, seconds)
            log.info(
                "request",
                ip=client[0] if (client := scope.get("client")) else None,
                requestTime=requested_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                httpMethod=scope["method"],  # type: ignore[typeddict-item] # there are no web sockets
                resourcePath=logged_path(scope["raw_path"]),
                status=status,
                protocol=f"HTTP/{scope['http_version']}",
                responseLength=length,
                latency=round(seconds * 1000, 2),
            )


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == REQUEST_ID and _SANE_ID.fullmatch(value):
            return value.decode()
    return str(uuid4())


def logged_path(raw: bytes) -> str:
    """Give a path as it may be logged."""
    return raw.decode() if _SANE_PATH.fullmatch(raw) else "(not logged)"
