"""Tracers that decide as the SDK's do, by its sampler and ids, and make spans of our own."""

from collections.abc import Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace import TracerProvider as Sdk
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags
from opentelemetry.util.types import Attributes

from runtime.record_spans import Span

_FLAGS = {
    (sampled, random): TraceFlags(sampled * TraceFlags.SAMPLED | random * TraceFlags.RANDOM_TRACE_ID)
    for sampled in (False, True)
    for random in (False, True)
}


class Tracer(trace.Tracer):
    """Makes the spans of one instrumentation scope, as the SDK's provider is set up."""

    def __init__(self, sdk: Sdk, processor: SpanProcessor, scope: InstrumentationScope) -> None:
        self._sampler, self._ids, self._resource = sdk.sampler, sdk.id_generator, sdk.resource
        self._processor, self._scope = processor, scope

    def start_span(  # noqa: PLR0913, PLR0917 (OpenTelemetry's)
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: ARG002, FBT001, FBT002 (OpenTelemetry's)
        set_status_on_exception: bool = True,  # noqa: ARG002, FBT001, FBT002
    ) -> trace.Span:
        """Start a span, child of the one in `context` (else of the current one), if it is sampled."""
        above = trace.get_current_span(context)
        if isinstance(above, Span):
            # Of ours, so it is sampled, and every sampler of the SDK decides the same for one trace.
            parent = above.get_span_context()
            ids = SpanContext(
                parent.trace_id,
                self._ids.generate_span_id(),
                is_remote=False,
                trace_flags=parent.trace_flags,
                trace_state=parent.trace_state,
            )
            span: trace.Span = self._span(name, ids, parent, kind, attributes, links)
        else:
            span = self._sampled(name, context, above.get_span_context(), kind, attributes, links)
        if start_time is not None and isinstance(span, Span):
            span._start_time = start_time  # noqa: SLF001 (its maker)
        return span

    def _sampled(
        self,
        name: str,
        context: Context | None,
        parent: SpanContext,
        kind: SpanKind,
        attributes: Attributes,
        links: Sequence[Link] | None,
    ) -> trace.Span:
        trace_id = parent.trace_id if parent.is_valid else self._ids.generate_trace_id()
        random = parent.trace_flags.random_trace_id if parent.is_valid else self._ids.is_trace_id_random()
        decided = self._sampler.should_sample(context, trace_id, name, kind, attributes, links)
        is_sampled = decided.decision is Decision.RECORD_AND_SAMPLE
        ids = SpanContext(
            trace_id,
            self._ids.generate_span_id(),
            is_remote=False,
            trace_flags=_FLAGS[is_sampled, random],
            trace_state=decided.trace_state,
        )
        if not is_sampled:
            return trace.NonRecordingSpan(ids)
        return self._span(name, ids, parent if parent.is_valid else None, kind, decided.attributes, links)

    def _span(
        self,
        name: str,
        ids: SpanContext,
        parent: SpanContext | None,
        kind: SpanKind,
        attributes: Attributes,
        links: Sequence[Link] | None,
    ) -> Span:
        return Span(
            self._processor,
            name=name,
            context=ids,
            parent=parent,
            resource=self._resource,
            attributes=dict(attributes or {}),
            links=links or (),
            kind=kind,
            instrumentation_scope=self._scope,
        )

    def start_as_current_span(self, *what: Any, **how: Any) -> "Current":  # type: ignore[override] # noqa: ANN401
        """Start a span that is the current one within `with`, and ends there."""
        return Current(self.start_span(*what, **how))


class Current:
    """Makes a span the current one. A class: contextlib's generators took 10 µs more."""

    __slots__ = ("_span", "_token")

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def __enter__(self) -> trace.Span:
        """Begin."""
        self._token = attach(trace.set_span_in_context(self._span))
        return self._span

    def __exit__(self, *_: object) -> None:
        """End the span. What failed is said by who knows what a failure is."""
        detach(self._token)
        self._span.end()


class Provider(trace.TracerProvider):
    """Gives tracers, for the service and for what instruments its libraries."""

    def __init__(self, sdk: Sdk, processor: SpanProcessor) -> None:
        self._sdk, self._processor = sdk, processor

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> Tracer:
        """Give a tracer."""
        scope = InstrumentationScope(
            instrumenting_module_name, instrumenting_library_version, schema_url, attributes
        )
        return Tracer(self._sdk, self._processor, scope)
