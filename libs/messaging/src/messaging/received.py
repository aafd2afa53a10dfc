"""What a message says once it is read; those that nobody can read, each with the reason."""

from collections.abc import Sequence
from uuid import UUID

from domain.events import Event
from msgspec import Struct
from opentelemetry.trace import SpanContext
from runtime.active_tracing import active, read_parent
from types_aiobotocore_sqs.type_defs import MessageTypeDef

from messaging.actor import ATTRIBUTE
from messaging.envelope import UndecodableError, read

TRACE_ATTRIBUTES = ("traceparent", "tracestate")


class Received(Struct, frozen=True, kw_only=True, eq=False):
    """A message that was read: the event, its id, and the receipt by which it is deleted.

    `actor` asked for what it tells of; `parent` is the span that it was made in, where tracing is on.
    """

    event_id: UUID
    event: Event
    receipt: str
    parent: SpanContext | None = None
    actor: str | None = None


def read_all(
    messages: Sequence[MessageTypeDef],
) -> tuple[list[Received], list[tuple[MessageTypeDef, str]]]:
    """Return the messages that were read, and those that nobody can read, each with the reason."""
    readable, unreadable = [], []
    is_traced = active() is not None
    for message in messages:
        try:
            event_id, event = read(message["Body"])
        except UndecodableError as error:
            unreadable.append((message, str(error)))
        else:
            parent = parent_of(message) if is_traced else None
            readable.append(
                Received(
                    event_id=event_id,
                    event=event,
                    receipt=message["ReceiptHandle"],
                    parent=parent,
                    actor=actor_of(message),
                )
            )
    return readable, unreadable


def actor_of(message: MessageTypeDef) -> str | None:
    """Return who asked for what a message tells of, if its attributes say."""
    named = message.get("MessageAttributes", {}).get(ATTRIBUTE)
    return named.get("StringValue") if named else None


def parent_of(message: MessageTypeDef) -> SpanContext | None:
    """Return the span that a message was made in, if its attributes tell."""
    attributes = message.get("MessageAttributes", {})
    return read_parent(
        {name: attributes[name].get("StringValue", "") for name in TRACE_ATTRIBUTES if name in attributes}
    )
