"""Spans of messages that come alone, come together, or are not sampled; and nothing where tracing is off."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from messaging.envelope import Message, Outgoing, compose
from messaging.received import Received
from messaging.topology import Topology
from messaging.trace_messages import Origin, processing, relaying, sending
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace import TracerProvider as Sdk
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.trace import NonRecordingSpan as Elsewhere
from opentelemetry.trace import SpanContext, TraceFlags, get_current_span, set_span_in_context
from runtime.active_tracing import ROOT, Tracing, activate, parse_parent, read_parent
from runtime.start_spans import Provider
from testkit import build

ARN = "arn:aws:sns:eu-west-1:000000000000:carillon-test-birthday-due"


class Kept(SpanProcessor):
    def __init__(self) -> None:
        self.spans: dict[str, ReadableSpan] = {}

    def on_end(self, span: ReadableSpan) -> None:
        self.spans[span.name] = span


@pytest.fixture
def kept() -> Iterator[Kept]:
    ended = Kept()
    provider = Provider(Sdk(sampler=ParentBased(ALWAYS_ON), shutdown_on_exit=False), ended)
    with activate(Tracing(tracer=provider.get_tracer("carillon"), environment="test")):
        yield ended


def elsewhere(trace_id: int = 0xA, *, sampled: bool = True) -> SpanContext:
    return SpanContext(trace_id, 0xB, is_remote=True, trace_flags=TraceFlags(int(sampled)))


def due_messages(topology: Topology, *within: SpanContext) -> list[Message]:
    return [
        message
        for parent in within
        for message in compose(
            topology,
            "scheduler",
            build.NOW,
            [
                Outgoing(
                    event_id=uuid4(),
                    subject=UUID(int=1),
                    event=build.birthday_due(),
                    origin=Origin(set_span_in_context(Elsewhere(parent), ROOT)),
                )
            ],
        )
    ]


def received(parent: SpanContext | None) -> Received:
    return Received(event_id=uuid4(), event=build.birthday_due(), receipt="r", parent=parent)


def links(span: ReadableSpan) -> list[int]:
    return [link.context.trace_id for link in span.links]


def test_several_messages_are_sent_within_the_relay_and_linked_each(topology: Topology, kept: Kept) -> None:
    messages = due_messages(topology, elsewhere(0xA), elsewhere(0xC))

    with relaying(messages), sending(ARN, messages):
        pass

    send, relay = kept.spans["send birthday-due"], kept.spans["relay outbox"]
    assert send.parent is not None
    assert send.parent.span_id == relay.context.span_id
    assert links(send) == [0xA, 0xC]
    assert (send.attributes or {})["messaging.batch.message_count"] == 2


def test_a_message_that_is_sent_alone_is_sent_within_its_own_trace(topology: Topology, kept: Kept) -> None:
    messages = due_messages(topology, elsewhere(0xA))

    with relaying(messages), sending(ARN, messages):
        pass

    send, relay = kept.spans["send birthday-due"], kept.spans["relay outbox"]
    assert send.context.trace_id == 0xA
    assert links(send) == [0xA, relay.context.trace_id]


def test_several_messages_are_processed_in_a_trace_of_their_own_and_linked_each(kept: Kept) -> None:
    with processing("webhook-critical", [received(elsewhere(0xA)), received(None), received(elsewhere(0xC))]):
        pass

    span = kept.spans["process webhook-critical"]
    assert span.parent is None
    assert links(span) == [0xA, 0xC]


def test_what_is_not_sampled_stays_so_and_says_so_to_whoever_comes_after(
    topology: Topology, kept: Kept
) -> None:
    [message] = due_messages(topology, elsewhere(sampled=False))
    parent = read_parent(message.attributes)
    with processing("webhook-critical", [received(parent)]):
        assert not get_current_span().is_recording()

    assert parent is not None
    assert (parent.trace_id, parent.trace_flags.sampled) == (0xA, False)
    assert kept.spans == {}


def test_a_failure_is_told_by_its_class_alone(kept: Kept) -> None:
    def fail() -> None:
        with processing("webhook-critical", [received(None)]):
            raise ValueError("ada@example.com")

    with pytest.raises(ValueError, match="ada@"):
        fail()

    span = kept.spans["process webhook-critical"]
    assert (span.attributes or {})["error.type"] == "ValueError"
    assert "ada@" not in span.to_json()


def test_without_tracing_nothing_is_told_or_carried(topology: Topology) -> None:
    messages = due_messages(topology, elsewhere())

    assert set(messages[0].attributes) == {"eventType", "priority"}
    with relaying(messages), sending(ARN, messages), processing("webhook-critical", [received(None)]) as span:
        assert span is None


@pytest.mark.parametrize(
    "unreadable",
    [None, "", "00-0-0-01", f"00-{'0' * 32}-{'1' * 16}-01", f"00-{'1' * 32}-{'1' * 16}-zz", "é" * 55],
)
def test_a_traceparent_that_nobody_can_read_is_none(unreadable: str | None) -> None:
    assert parse_parent(unreadable) is None
