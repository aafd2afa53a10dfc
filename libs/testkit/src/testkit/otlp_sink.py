"""A collector, as OpenTelemetry's exporters see one: OTLP over HTTP, what comes is kept for the test."""

from types import TracebackType
from typing import Any, Self

from aiohttp import web
from msgspec import Struct
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent

from testkit.ports import LOOPBACK


class Span(Struct, frozen=True, kw_only=True):
    """A span as received: ids in hexadecimal, links as ids of both, kind and status by their names."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    status: str
    status_message: str
    attributes: dict[str, Any]
    events: list[str]
    links: list[tuple[str, str]]
    resource: dict[str, Any]


class OtlpSink:
    """Takes what is exported to `endpoint`, the value for OTEL_EXPORTER_OTLP_ENDPOINT."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        # Each metric's name, by the services that sent it.
        self.metrics: dict[str, set[str]] = {}
        self.bodies: list[bytes] = []
        self._port = 0
        self._runner: web.AppRunner | None = None

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://{LOOPBACK}:{self._port}"

    async def __aenter__(self) -> Self:
        """Listen on a free port."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        await self.stop()

    async def start(self) -> None:
        """Listen, after a stop on the same port again."""
        app = web.Application()
        app.router.add_post("/v1/traces", self._take)
        app.router.add_post("/v1/metrics", self._take_metrics)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self._port).start()
        self._port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Be away."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.bodies.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            about = _values(resource.resource.attributes)
            self.spans += [_span(span, about) for scope in resource.scope_spans for span in scope.spans]
        return web.Response(
            body=ExportTraceServiceResponse().SerializeToString(), content_type="application/x-protobuf"
        )

    async def _take_metrics(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.bodies.append(body)
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            service = _values(resource.resource.attributes)["service.name"]
            for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
                self.metrics.setdefault(metric.name, set()).add(service)
        return web.Response(
            body=ExportMetricsServiceResponse().SerializeToString(), content_type="application/x-protobuf"
        )


def _span(span: Sent, resource: dict[str, Any]) -> Span:
    return Span(
        name=span.name,
        kind=Sent.SpanKind.Name(span.kind),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        status=type(span.status).StatusCode.Name(span.status.code),
        status_message=span.status.message,
        attributes=_values(span.attributes),
        events=[event.name for event in span.events],
        links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
        resource=resource,
    )


def _values(pairs: Any) -> dict[str, Any]:  # noqa: ANN401 (protobuf's own kind of list)
    return {pair.key: _value(pair) for pair in pairs}


def _value(pair: KeyValue) -> Any:  # noqa: ANN401 (an attribute is text, a number or a truth)
    which = pair.value.WhichOneof("value")
    return None if which is None else getattr(pair.value, which)
