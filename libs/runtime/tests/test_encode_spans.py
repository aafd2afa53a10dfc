from collections.abc import Sequence

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans as encode_by_library
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace import TracerProvider as Sdk
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, Sampler, TraceIdRatioBased
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TracerProvider,
    TraceState,
    get_current_span,
    set_span_in_context,
)
from runtime.encode_spans import encode_spans
from runtime.record_spans import Span
from runtime.start_spans import Provider


class Kept(SpanProcessor):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


@pytest.fixture
def ended() -> Kept:
    return Kept()


def provider(ended: Kept, sampler: Sampler = ALWAYS_ON) -> Provider:
    resource = Resource.create({"service.name": "carillon-test", "service.version": "0.1.0"})
    return Provider(Sdk(resource=resource, sampler=sampler, shutdown_on_exit=False), ended)


def remote(flags: int = TraceFlags.SAMPLED) -> SpanContext:
    state = TraceState([("shop", "1"), ("other", "2")])
    return SpanContext(
        0xAF7651916CD43DD8448EB211C80319C,
        0xB7AD,
        is_remote=True,
        trace_flags=TraceFlags(flags),
        trace_state=state,
    )


def record(provider: TracerProvider) -> None:
    server, database = (
        provider.get_tracer("carillon", "0.1.0"),
        provider.get_tracer("db", "1", "https://schema/1"),
    )
    above = set_span_in_context(NonRecordingSpan(remote()))
    attributes: dict[str, str | bool | float] = {
        "text": "grüße " * 50,
        "empty": "",
        "one": 1,
        "true": True,
        "below": -5,
        "far": 2**62,
        "half": 0.5,
    }
    with server.start_as_current_span("GET /ü", above, SpanKind.SERVER, attributes=attributes) as span:
        with database.start_as_current_span(
            "SELECT", kind=SpanKind.CLIENT, attributes={"true": False, "one": 1}
        ):
            pass
        with database.start_as_current_span("INSERT", kind=SpanKind.CLIENT) as failed:
            failed.set_status(Status(StatusCode.ERROR, "refused"))
            failed.set_attribute("error.type", "UniqueViolationError")
        span.set_attributes({"http.response.status_code": 500})
        span.set_status(Status(StatusCode.ERROR))
        span.update_name("renamed " * 40)
    server.start_span("root").end()
    linked = server.start_span(
        "linked", links=[Link(remote(), {"why": "due"})], attributes={"list": ("a", "b")}
    )
    linked.add_event("noticed", {"at": 3})
    linked.end()
    joined = server.start_span("joined")
    for is_remote in (False, True):
        joined.add_link(SpanContext(0xAF76, 0xB7AD, is_remote=is_remote))
    joined.end()


def by_library(spans: Sequence[ReadableSpan]) -> ExportTraceServiceRequest:
    return decoded(encode_by_library(spans).SerializeToString())


def decoded(sent: bytes) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    request.ParseFromString(sent)
    return request


def test_the_bytes_are_the_spans_that_the_library_would_send(ended: Kept) -> None:
    record(provider(ended))

    assert len(ended.spans) == 6
    assert decoded(encode_spans(ended.spans)) == by_library(ended.spans)
    assert encode_spans([]) == b""


def test_the_sdk_s_own_spans_are_encoded_as_well(ended: Kept) -> None:
    sdk = Sdk(resource=Resource.create({"service.name": "carillon-test"}), shutdown_on_exit=False)
    sdk.add_span_processor(ended)
    record(sdk)

    assert decoded(encode_spans(ended.spans)) == by_library(ended.spans)


def test_our_spans_say_what_the_sdk_s_do(ended: Kept) -> None:
    def told(spans: Sequence[ReadableSpan]) -> list[object]:
        return [
            (
                span.name,
                span.kind,
                dict(span.attributes or {}),
                span.status.status_code,
                span.status.description,
                bool(span.parent),
                span.context.trace_flags,
                span.context.trace_state,
                len(span.links),
                len(span.events),
            )
            for span in spans
        ]

    theirs = Kept()
    sdk = Sdk(sampler=ALWAYS_ON, shutdown_on_exit=False)
    sdk.add_span_processor(theirs)
    record(sdk)
    record(provider(ended))

    assert told(ended.spans) == told(theirs.spans)
    assert [span.parent.span_id for span in ended.spans[:2] if span.parent] == [
        ended.spans[2].context.span_id
    ] * 2


def test_the_caller_decides_what_is_sampled(ended: Kept) -> None:
    tracer = provider(ended, ParentBased(TraceIdRatioBased(0))).get_tracer("carillon")
    for flags in (TraceFlags.DEFAULT, TraceFlags.SAMPLED):
        above = set_span_in_context(NonRecordingSpan(remote(flags)))
        with tracer.start_as_current_span("asked", above) as span:
            assert get_current_span() is span
            assert span.get_span_context().trace_id == remote().trace_id
            assert span.is_recording() == bool(flags)
    tracer.start_span("root").end()

    assert [span.name for span in ended.spans] == ["asked"]


def test_an_exception_s_words_are_not_kept(ended: Kept) -> None:
    span = provider(ended).get_tracer("carillon").start_as_current_span("failing")

    def fail() -> None:
        with span as failing:
            failing.record_exception(ValueError("ada@example.com"))
            raise ValueError("ada@example.com")

    with pytest.raises(ValueError, match="ada"):
        fail()
    (failing,) = ended.spans
    assert isinstance(failing, Span)
    assert b"ada@" not in encode_spans([failing])
    assert [event.attributes for event in failing.events] == [{"exception.type": "ValueError"}]
