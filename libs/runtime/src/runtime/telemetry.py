"""Telemetry: traces and metrics by OTLP, set up from OpenTelemetry's own variables; off without an endpoint.

OTEL_EXPORTER_OTLP_ENDPOINT turns it on (OTLP over HTTP); OTEL_TRACES_SAMPLER and _ARG, OTEL_SERVICE_NAME,
OTEL_RESOURCE_ATTRIBUTES and OTEL_BSP_* are read by the SDK itself. A queue of bounded length is sent by a
thread of its own, so that a backend which is away costs spans and nothing else.
"""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from opentelemetry import trace
from opentelemetry.trace import Tracer, format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from runtime.active_tracing import Tracing, activate
from runtime.metrics import REGISTRY

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
LAST_SPANS_SECONDS = 3
PROPAGATOR = TraceContextTextMapPropagator()


def is_on(signal: str) -> bool:
    """Tell whether TRACES or METRICS are sent: their endpoint is set, and nothing switches them off."""
    disabled = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    unwanted = os.environ.get(f"OTEL_{signal}_EXPORTER", "").strip().lower() == "none"
    endpoints = ENDPOINT, f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"
    return not (disabled or unwanted) and any(os.environ.get(name, "").strip() for name in endpoints)


@asynccontextmanager
async def telemetry(service: str, version: str, environment: str) -> AsyncIterator[Tracer | None]:
    """Send metrics, and trace, while the context is open; give the tracer, None where tracing is off.

    At the end the last spans are sent, for at most three seconds.
    """
    async with AsyncExitStack() as opened:
        if is_on("METRICS"):
            await opened.enter_async_context(_sending_metrics(service, version, environment))
        if is_on("TRACES"):
            yield await opened.enter_async_context(_tracing(service, version, environment))
        else:
            yield None


@asynccontextmanager
async def _sending_metrics(service: str, version: str, environment: str) -> AsyncIterator[None]:
    # Imported here and below: a service that sends nothing starts 0.5 s sooner.
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415

    from runtime.export_metrics import exporting  # noqa: PLC0415

    resource = Resource.create(_resource(service, version, environment))
    async with exporting(REGISTRY, resource, OTLPMetricExporter()):
        yield


@asynccontextmanager
async def _tracing(service: str, version: str, environment: str) -> AsyncIterator[Tracer]:
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider as Sdk  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    from runtime.export_spans import SpanExporter  # noqa: PLC0415
    from runtime.start_spans import Provider  # noqa: PLC0415
    from runtime.trace_statements import StatementInstrumentor  # noqa: PLC0415

    resource = Resource.create(_resource(service, version, environment))
    sdk = Sdk(resource=resource, shutdown_on_exit=False)
    processor = BatchSpanProcessor(SpanExporter())
    sdk.add_span_processor(processor)
    provider = Provider(sdk, processor)
    # The names of today (db.query.text), not those of 2023.
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "database")
    statements = StatementInstrumentor()  # type: ignore[no-untyped-call]
    statements.instrument(tracer_provider=provider)
    tracer = provider.get_tracer("carillon", version)
    try:
        with activate(Tracing(tracer=tracer, environment=environment)):
            yield tracer
    finally:
        statements.uninstrument()
        await _shut_down(sdk.shutdown)


def _resource(service: str, version: str, environment: str) -> dict[str, str]:
    return {
        "service.name": os.environ.get("OTEL_SERVICE_NAME") or f"carillon-{service}",
        "service.version": version,
        "deployment.environment.name": environment,
    }


async def _shut_down(shutdown: Callable[[], None]) -> None:
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def last_spans() -> None:
        shutdown()
        with suppress(RuntimeError):  # too late: the loop is closed
            loop.call_soon_threadsafe(done.set)

    # A thread that nobody waits for when the process ends: one export may hang longer than a drain may last.
    threading.Thread(target=last_spans, daemon=True).start()
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_SPANS_SECONDS):
            await done.wait()


def trace_attributes() -> dict[str, str]:
    """Give `traceparent`, and `tracestate` where there is one, of the current span; nothing without one."""
    carrier: dict[str, str] = {}
    if trace.get_current_span().get_span_context().is_valid:
        PROPAGATOR.inject(carrier)
    return carrier


def current_trace_id() -> str | None:
    """Give the id of the current span's trace, 32 hexadecimal digits; None without one."""
    context = trace.get_current_span().get_span_context()
    return format_trace_id(context.trace_id) if context.is_valid else None
