"""A collector, as OpenTelemetry's exporters see one: OTLP over HTTP, what comes is kept for the test."""

from types import TracebackType
from typing import Self

from aiohttp import web
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from testkit.otlp_spans import PROTOBUF, Span, attributes, read_spans, taken
from testkit.ports import LOOPBACK

__all__ = ["OtlpSink", "Span"]


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
        self.spans += read_spans(body)
        return web.Response(body=taken(), content_type=PROTOBUF)

    async def _take_metrics(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.bodies.append(body)
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            service = attributes(resource.resource.attributes)["service.name"]
            for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
                self.metrics.setdefault(metric.name, set()).add(service)
        return web.Response(body=ExportMetricsServiceResponse().SerializeToString(), content_type=PROTOBUF)
