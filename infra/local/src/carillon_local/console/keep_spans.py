"""The last few thousand spans, in memory, and the traces that they make."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

from msgspec import Struct
from testkit.otlp_spans import Span, read_spans

MOST_SPANS = 5_000
MOST_TEXT = 500
MOST_OF_A_SPAN = 40  # attributes, events, links
TRACE_ID, SPAN_ID = 32, 16  # hexadecimal digits
PREFIX = "carillon-"
EVENT_ID = "carillon.event.id"
SENT = "send "

T = TypeVar("T")


class Link(Struct, frozen=True, rename="camel"):
    """Another span that this one has to do with, in another trace as a rule."""

    trace_id: str
    span_id: str


class Kept(Struct, frozen=True, kw_only=True, rename="camel"):
    """A span as the page gets it: all but numbers is text, and no text is long."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    name: str
    kind: str
    started_ms: float
    duration_ms: float
    failed: bool
    message: str
    attributes: dict[str, str]
    events: tuple[str, ...]
    links: tuple[Link, ...]


class Trace(Struct, frozen=True, kw_only=True, rename="camel"):
    """A trace in a list; its name and service are those of its first span."""

    trace_id: str
    name: str
    service: str
    started_ms: float
    duration_ms: float
    spans: int
    failed: int


class KeptSpans:
    """Keeps the last `most` spans; the oldest go first."""

    def __init__(self, most: int = MOST_SPANS) -> None:
        self._spans: deque[Kept] = deque(maxlen=most)

    def __len__(self) -> int:
        """Count them."""
        return len(self._spans)

    def take(self, body: bytes) -> int:
        """Keep the spans of an export and count those without valid ids; ValueError if it is none."""
        spans = read_spans(body)
        good = [span for span in spans if (len(span.trace_id), len(span.span_id)) == (TRACE_ID, SPAN_ID)]
        self._spans += [_kept(span) for span in good]
        return len(spans) - len(good)

    def trace(self, trace_id: str) -> list[Kept]:
        """Return what is kept of a trace, the earliest first."""
        return sorted(
            (span for span in self._spans if span.trace_id == trace_id), key=lambda span: span.started_ms
        )

    def traces(self, most: int) -> list[Trace]:
        """Return the last traces to have begun, the newest first."""
        by_id: dict[str, list[Kept]] = {}
        for span in self._spans:
            by_id.setdefault(span.trace_id, []).append(span)
        found = [_trace(spans) for spans in by_id.values()]
        return sorted(found, key=lambda trace: trace.started_ms, reverse=True)[:most]

    def traces_of_events(self) -> dict[str, str]:
        """Return the trace of each event that a kept span names."""
        return {
            span.attributes[EVENT_ID]: span.trace_id for span in self._spans if EVENT_ID in span.attributes
        }

    def sent_by_topic(self) -> Counter[str]:
        """Count the messages that the kept spans tell to have been sent, by topic."""
        sent: Counter[str] = Counter()
        for span in self._spans:
            if span.name.startswith(SENT):
                sent[span.name.removeprefix(SENT)] += max(1, len(span.links))
        return sent


def _trace(spans: list[Kept]) -> Trace:
    ids = {span.span_id for span in spans}
    # Of what is kept the top has no parent, or one that is not kept any more.
    first = min(spans, key=lambda span: (span.parent_id in ids, span.started_ms))
    started = min(span.started_ms for span in spans)
    return Trace(
        trace_id=first.trace_id,
        name=first.name,
        service=first.service,
        started_ms=started,
        duration_ms=max(span.started_ms + span.duration_ms for span in spans) - started,
        spans=len(spans),
        failed=sum(span.failed for span in spans),
    )


def _kept(span: Span) -> Kept:
    return Kept(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        service=_text(span.resource.get("service.name", "")).removeprefix(PREFIX),
        name=_text(span.name),
        kind=span.kind.removeprefix("SPAN_KIND_").lower(),
        started_ms=span.started_at / 1e6,
        duration_ms=max(0, span.ended_at - span.started_at) / 1e6,
        failed=span.status == "STATUS_CODE_ERROR",
        message=_text(span.status_message),
        attributes={_text(name): _text(value) for name, value in _some(span.attributes.items())},
        events=tuple(_text(name) for name in _some(span.events)),
        links=tuple(Link(*ids) for ids in _some(span.links)),
    )


def _some(things: Iterable[T]) -> Iterator[T]:
    return islice(things, MOST_OF_A_SPAN)


def _text(value: object) -> str:
    return str(value)[:MOST_TEXT]
