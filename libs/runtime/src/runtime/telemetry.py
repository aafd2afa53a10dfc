"""Traces: OpenTelemetry's SDK, set up from its standard variables; without an endpoint nothing of it runs.

OTEL_EXPORTER_OTLP_ENDPOINT turns it on (OTLP over HTTP); OTEL_TRACES_SAMPLER and _ARG, OTEL_SERVICE_NAME,
OTEL_RESOURCE_ATTRIBUTES and OTEL_BSP_* are read by the SDK itself. A queue of bounded length is sent by a
thread of its own, so that a backend which is away costs spans and nothing else.
"""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from opentelemetry import trace
from opentelemetry.trace import Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
LAST_SPANS_SECONDS = 3
PROPAGATOR = TraceContextTextMapPropagator()


@asynccontextmanager
async def tracing(service: str, version: str, environment: str) -> AsyncIterator[Tracer | None]:
    """Give a tracer, and trace every statement, while the context is open; None where tracing is off.

    At the end the last spans are sent, for at most three seconds.
    """
    disabled = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if disabled or not any(os.environ.get(name, "").strip() for name in ENDPOINTS):
        yield None
        return
    # Imported here: a service that is not traced starts 0.5 s sooner.
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider as Sdk  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    from runtime.export_spans import SpanExporter  # noqa: PLC0415
    from runtime.start_spans import Provider  # noqa: PLC0415
    from runtime.trace_statements import StatementInstrumentor  # noqa: PLC0415

    resource = {
        "service.name": os.environ.get("OTEL_SERVICE_NAME") or f"carillon-{service}",
        "service.version": version,
        "deployment.environment.name": environment,
    }
    sdk = Sdk(resource=Resource.create(resource), shutdown_on_exit=False)
    processor = BatchSpanProcessor(SpanExporter())
    sdk.add_span_processor(processor)
    provider = Provider(sdk, processor)
    # The names of today (db.query.text), not those of 2023.
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "database")
    statements = StatementInstrumentor()  # type: ignore[no-untyped-call]
    statements.instrument(tracer_provider=provider)
    try:
        yield provider.get_tracer("carillon", version)
    finally:
        statements.uninstrument()
        await _shut_down(sdk.shutdown)


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
