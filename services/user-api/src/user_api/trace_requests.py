"""A span for each request, by OpenTelemetry's conventions for HTTP servers."""

import re
from functools import cache

import structlog
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, format_span_id, format_trace_id
from runtime.telemetry import PROPAGATOR

from user_api.access_log import logged_path

PARENT = (b"traceparent", b"tracestate")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Asked every few seconds, by machines: it would be most of what is kept.
UNTRACED = ("/health", "/metrics")
SERVER_ERROR = 500


class TraceRequests:
    """Wraps the application: what is done for a request is traced under its span. No bodies, no queries."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request within its span; the caller's `traceparent`, if it sends one, is the parent."""
        if scope["path"].startswith(UNTRACED):
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"  # type: ignore[typeddict-item]
        status = 0

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._tracer.start_as_current_span(
            method,
            context=PROPAGATOR.extract(_sent_trace(scope)),
            kind=SpanKind.SERVER,
            attributes={
                "http.request.method": method,
                "url.scheme": scope["scheme"],
                "url.path": logged_path(scope["raw_path"]),
                "network.protocol.version": scope["http_version"],
            },
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            ids = span.get_span_context()
            structlog.contextvars.bind_contextvars(
                traceId=format_trace_id(ids.trace_id), spanId=format_span_id(ids.span_id)
            )
            try:
                await self._app(scope, receive, note_status)
            finally:
                # Known once the application has routed it; a path that is no route's has none.
                if template := scope.get("path_template"):
                    route = _route(str(template))
                    span.update_name(f"{method} {route}")
                    span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", status)
                if status >= SERVER_ERROR or status == 0:
                    span.set_status(Status(StatusCode.ERROR))
                    span.set_attribute("error.type", str(status))


def _sent_trace(scope: Scope) -> dict[str, str]:
    return {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in PARENT}


@cache
def _route(template: str) -> str:
    return re.sub(r"{(\w+):\w+}", r"{\1}", template)
