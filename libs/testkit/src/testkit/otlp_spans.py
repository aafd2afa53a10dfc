"""The spans in a body that OpenTelemetry's exporters send: OTLP over HTTP, in protobuf."""

from collections.abc import Iterable
from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from msgspec import Struct
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent

PROTOBUF = "application/x-protobuf"


class Span(Struct, frozen=True, kw_only=True):
    """A span as received: ids in hexadecimal, links as ids of both, kind and status by their names.

    Times are nanoseconds since 1970.
    """

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    started_at: int
    ended_at: int
    status: str
    status_message: str
    attributes: dict[str, Any]
    events: list[str]
    links: list[tuple[str, str]]
    resource: dict[str, Any]


def read_spans(body: bytes) -> list[Span]:
    """Return the spans of an export; ValueError if it is none."""
    try:
        export = ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise ValueError("the body is no ExportTraceServiceRequest") from error
    spans: list[Span] = []
    for resource in export.resource_spans:
        about = attributes(resource.resource.attributes)
        spans += [_span(span, about) for scope in resource.scope_spans for span in scope.spans]
    return spans


def taken(*, rejected: int = 0) -> bytes:
    """Return the answer to an export of which `rejected` spans are not taken."""
    answer = ExportTraceServiceResponse()
    if rejected:
        answer.partial_success.rejected_spans = rejected
    return bytes(answer.SerializeToString())


def attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    """Return attributes by their names."""
    return {pair.key: _value(pair.value) for pair in pairs}


def _span(span: Sent, resource: dict[str, Any]) -> Span:
    return Span(
        name=span.name,
        kind=_named(Sent.SpanKind, span.kind),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        started_at=span.start_time_unix_nano,
        ended_at=span.end_time_unix_nano,
        status=_named(type(span.status).StatusCode, span.status.code),
        status_message=span.status.message,
        attributes=attributes(span.attributes),
        events=[event.name for event in span.events],
        links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
        resource=resource,
    )


def _named(enumeration: Any, number: int) -> str:  # noqa: ANN401 (protobuf's own kind of enumeration)
    # A number that this version does not know yet is kept by protobuf.
    return str(enumeration.Name(number)) if number in enumeration.values() else str(number)


def _value(value: AnyValue) -> Any:  # noqa: ANN401 (an attribute is text, a number, a truth or a list)
    which = value.WhichOneof("value")
    if which == "array_value":
        return [_value(each) for each in value.array_value.values]
    return None if which is None else getattr(value, which)
