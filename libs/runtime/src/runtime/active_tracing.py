"""The tracing of this process, where it is on, and the places of spans in others' traces (`traceparent`)."""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from msgspec import Struct
from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

P = ParamSpec("P")
R = TypeVar("R")

ROOT = Context()
"""What a span that begins a trace of its own is started in."""

TRACEPARENT = "traceparent"
_PARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})", re.ASCII)
_FAILED = Status(StatusCode.ERROR)
_propagator = TraceContextTextMapPropagator()


class Tracing(Struct, frozen=True, kw_only=True):
    """What makes spans, and the environment that topics and queues are named after."""

    tracer: Tracer
    environment: str


_active: Tracing | None = None


def active() -> Tracing | None:
    """Return the tracing of this process; None where it is off, which is all that it costs then."""
    return _active


@contextmanager
def activate(tracing: Tracing) -> Iterator[None]:
    """Trace by this until the context ends."""
    global _active  # noqa: PLW0603 (a process traces or it does not)
    before, _active = _active, tracing
    try:
        yield
    finally:
        _active = before


@contextmanager
def span(
    name: str,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    within: Context | None = None,
    links: Sequence[Link] = (),
    attributes: Mapping[str, AttributeValue] | None = None,
) -> Iterator[Span]:
    """Do what is in the context within a span, by default a child of the current one.

    Where tracing is off it is no span. An exception ends it as failed, and is told by its class alone.
    """
    if _active is None:
        yield trace.INVALID_SPAN
        return
    started = _active.tracer.start_span(name, within, kind, attributes, links)
    token = attach(trace.set_span_in_context(started, within))
    try:
        yield started
    except BaseException as error:
        fail(started, error)
        raise
    finally:
        detach(token)
        started.end()


def traced(name: str) -> Callable[[Callable[P, Awaitable[R]]], Callable[P, Awaitable[R]]]:
    """Have a function work within a span of that name, a trace of its own where it is called in none."""

    def decorate(work: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
        @wraps(work)
        async def work_within(*args: P.args, **kwargs: P.kwargs) -> R:
            if _active is None:
                return await work(*args, **kwargs)
            with span(name):
                return await work(*args, **kwargs)

        return work_within

    return decorate


def fail(failed: Span, error: BaseException) -> None:
    """Say by which class of exception a span failed: its words may repeat a row, or what somebody sent."""
    failed.set_status(_FAILED)
    failed.set_attribute("error.type", type(error).__qualname__)


def read_parent(carrier: Mapping[str, str]) -> SpanContext | None:
    """Return the span that `traceparent` names; None where there is none, or one that nobody can read."""
    if TRACEPARENT not in carrier:
        return None
    if "tracestate" in carrier:
        found = trace.get_current_span(_propagator.extract(carrier, ROOT)).get_span_context()
        return found if found.is_valid else None
    return parse_parent(carrier[TRACEPARENT])


def parse_parent(traceparent: str | None) -> SpanContext | None:
    """Return the span that a `traceparent` names. By hand it takes a tenth of what the library does."""
    parts = _PARENT.fullmatch(traceparent) if traceparent else None
    if parts is None:
        return None
    trace_id, span_id, flags = (int(part, 16) for part in parts.groups())
    found = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))
    return found if found.is_valid else None


def carrier_of(context: SpanContext) -> dict[str, str]:
    """Return the attributes that carry a span to whoever comes after it."""
    carrier = {TRACEPARENT: traceparent_of(context)}
    if context.trace_state:
        carrier["tracestate"] = context.trace_state.to_header()
    return carrier


def traceparent_of(context: SpanContext) -> str:
    """Return a span as `traceparent` names it."""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def under(parent: SpanContext | None) -> Context:
    """Return the context of a span under `parent`, or of the current one if that is of the same trace."""
    if parent is None:
        return ROOT
    current = trace.get_current_span()
    if current.get_span_context().trace_id == parent.trace_id:
        return trace.set_span_in_context(current)
    return trace.set_span_in_context(NonRecordingSpan(parent), ROOT)


def links_to(contexts: Iterable[SpanContext | None]) -> list[Link]:
    """Return links to the spans that are kept: to others they would lead nowhere."""
    return [Link(context) for context in contexts if context is not None and context.trace_flags.sampled]
