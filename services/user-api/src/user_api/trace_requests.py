"""A span for each request, by OpenTelemetry's conventions for HTTP servers."""

from litestar.types import ASGIApp, Message, Receive, Scope, Send
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import (
    Span,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    set_span_in_context,
)
from runtime.telemetry import PROPAGATOR

from user_api.access_log import logged_path
from user_api.route_of import METHODS, UNTRACED, route_of

PARENT = (b"traceparent", b"tracestate")
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

        span = self._tracer.start_span(
            method,
            context=_parent(scope),
            kind=SpanKind.SERVER,
            attributes={
                "http.request.method": method,
                "url.scheme": scope["scheme"],
                "url.path": logged_path(scope["raw_path"]),
                "network.protocol.version": scope["http_version"],
            },
        )
        token = attach(set_span_in_context(span))
        try:
            await self._app(scope, receive, note_status)
        finally:
            detach(token)
            _conclude(span, method, scope.get("path_template"), status)


def _conclude(span: Span, method: str, template: object, status: int) -> None:
    learnt: dict[str, str | int] = {"http.response.status_code": status}
    if template:  # known once the application has routed the request
        learnt["http.route"] = route = route_of(str(template))
        span.update_name(f"{method} {route}")
    if status == 0 or status >= SERVER_ERROR:
        learnt["error.type"] = str(status)
        span.set_status(Status(StatusCode.ERROR))
    span.set_attributes(learnt)
    span.end()


def _parent(scope: Scope) -> Context | None:
    sent = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in PARENT}
    return PROPAGATOR.extract(sent) if sent else None
