"""Spans of messages, by OpenTelemetry's conventions: created, sent, processed; none without tracing.

By hand: the instrumentation of the AWS client overwrites what each message of a batch carries.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID

from msgspec import Struct
from opentelemetry.context import Context, get_current
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, get_current_span
from opentelemetry.util.types import AttributeValue
from runtime.active_tracing import ROOT, active, carrier_of, links_to, read_parent, span, under

from messaging.topology import queue_name, topic_name

if TYPE_CHECKING:
    from messaging.envelope import Message
    from messaging.received import Received

SNS, SQS = "aws.sns", "aws_sqs"


class Origin(Struct, frozen=True):
    """What an event happened in: the context of the span that it happened in, and links besides."""

    context: Context
    links: Sequence[Link] = ()


def here() -> Origin | None:
    """Return what happens now; None where tracing is off."""
    return None if active() is None else Origin(get_current())


def created(
    topic: str, event_type: str, event_id: UUID, subject: str, origin: Origin | None
) -> Mapping[str, str]:
    """Record that a message is made, and return the attributes by which it carries that on."""
    tracing = active()
    if tracing is None or origin is None:
        return {}
    made = tracing.tracer.start_span(
        f"create {topic}",
        context=origin.context,
        kind=SpanKind.PRODUCER,
        attributes={
            "messaging.system": SNS,
            "messaging.operation.name": "create",
            "messaging.operation.type": "create",
            "messaging.destination.name": topic_name(tracing.environment, topic),
            "messaging.message.id": str(event_id),
            "carillon.event.type": event_type,
            "carillon.subject": subject,
        },
        links=origin.links,
    )
    made.end()
    return carrier_of(made.get_span_context())


@contextmanager
def relaying(messages: "Sequence[Message]") -> Iterator[None]:
    """Relay messages within a span, which begins a trace: what is relayed together is of many."""
    if active() is None:
        yield
        return
    with span("relay outbox", within=ROOT, attributes={"messaging.batch.message_count": len(messages)}):
        yield


@contextmanager
def sending(topic_arn: str, messages: "Sequence[Message]") -> Iterator[None]:
    """Send messages to a topic within a span that is linked to each; one that is alone under its own."""
    tracing = active()
    if tracing is None:
        yield
        return
    topic = topic_arn.rpartition(":")[2]
    attributes: dict[str, AttributeValue] = {
        "messaging.system": SNS,
        "messaging.operation.name": "publish_batch",
        "messaging.operation.type": "send",
        "messaging.destination.name": topic,
        "messaging.batch.message_count": len(messages),
        "aws.sns.topic.arn": topic_arn,
    }
    name = f"send {topic.removeprefix(topic_name(tracing.environment, ''))}"
    made = [read_parent(message.attributes) for message in messages]
    if len(made) == 1 and made[0] is not None:
        within, links = under(made[0]), links_to([made[0], get_current_span().get_span_context()])
    else:
        within, links = get_current(), links_to(made)
    with span(name, kind=SpanKind.CLIENT, within=within, links=links, attributes=attributes):
        yield


@contextmanager
def processing(queue: str, batch: "Sequence[Received]") -> Iterator[Span | None]:
    """Process a batch within a span: of a message that is alone under its own, of several linked to each."""
    tracing = active()
    if tracing is None:
        yield None
        return
    attributes: dict[str, AttributeValue] = {
        "messaging.system": SQS,
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": queue_name(tracing.environment, queue),
    }
    parent: SpanContext | None = None
    links: Sequence[Link] = ()
    if len(batch) == 1:
        parent = batch[0].parent
        attributes["messaging.message.id"] = str(batch[0].event_id)
    else:
        links = links_to(received.parent for received in batch)
        attributes["messaging.batch.message_count"] = len(batch)
    with span(
        f"process {queue}", kind=SpanKind.CONSUMER, within=under(parent), links=links, attributes=attributes
    ) as processed:
        yield processed
