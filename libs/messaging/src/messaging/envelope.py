"""The envelope: CloudEvents 1.0 structured JSON around an event, and back."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

import msgspec
from domain.events import EVENT_TYPES, DueEvent, Event, schema_id, type_name
from domain.priority import Priority
from msgspec import Struct

from messaging.actor import ACTOR, ATTRIBUTE
from messaging.topology import EventType, Topology
from messaging.trace_messages import Origin, created, here


class Envelope(Struct, frozen=True, kw_only=True, rename="lower"):
    """A CloudEvents 1.0 envelope; `data` stays encoded until its type is known."""

    specversion: str
    id: UUID
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: str
    dataschema: str
    data: msgspec.Raw


class Outgoing(Struct, frozen=True, kw_only=True):
    """An event to be appended: its id, and the subject (the user) whose messages keep together.

    `origin` is what it happened in and `actor` who asked for it; by default what it is composed in and for.
    """

    event_id: UUID
    subject: UUID
    event: Event
    origin: Origin | None = None
    actor: str | None = None


class Message(Struct, frozen=True, kw_only=True):
    """An event in its envelope, with what the broker routes by."""

    event_id: UUID
    event_type: str
    priority: Priority
    group_id: str
    attributes: dict[str, str]
    body: str


class UndecodableError(Exception):
    """A message nobody can read; the text is one line that says why."""


class UnknownTypeError(UndecodableError):
    """A message of a type that this release does not know."""


DECODERS = {type_name(event): msgspec.json.Decoder(event) for event in EVENT_TYPES.values()}
MOST_TYPE = 100
ENVELOPE = msgspec.json.Decoder(Envelope)


def compose(topology: Topology, source: str, at: datetime, outgoing: Iterable[Outgoing]) -> list[Message]:
    """Return the messages of events that happened `at` (aware, UTC), leaving out unpublished event types.

    One that is published in several versions is a message each, under the same id.

    A due event's own priority wins over its type's. An occasion's is that of its due events, not of the news
    that it was added. The span that it was made in, if any, goes with the message.
    """
    messages = []
    composed_in, composed_for = here(), ACTOR.get()
    for out in outgoing:
        subject = str(out.subject)
        origin = composed_in if out.origin is None else out.origin
        actor = out.actor or composed_for
        named = {ATTRIBUTE: actor} if actor else {}
        for event, event_type in published_versions(topology, out.event):
            kind = type(event)
            priority = event.priority if isinstance(event, DueEvent) else event_type.priority
            traced = created(event_type.topic, kind.__name__, out.event_id, subject, origin)
            envelope = Envelope(
                specversion="1.0",
                id=out.event_id,
                source=f"carillon/{source}",
                type=type_name(kind),
                subject=subject,
                time=at,
                datacontenttype="application/json",
                dataschema=schema_id(kind),
                data=msgspec.Raw(msgspec.json.encode(event)),
            )
            messages.append(
                Message(
                    event_id=out.event_id,
                    event_type=kind.__name__,
                    priority=priority,
                    group_id=subject,
                    attributes={
                        "eventType": kind.event_type,
                        "priority": priority.value,
                        **named,
                        **traced,
                    },
                    body=msgspec.json.encode(envelope).decode(),
                )
            )
    return messages


def published_versions(topology: Topology, event: Event) -> Iterator[tuple[Event, EventType]]:
    """Give an event as each published version tells it: the newest, then those with an entry of their own."""
    event_type: EventType | None = topology.event_types[type(event).__name__]
    while True:
        if event_type is not None and event_type.published:
            yield event, event_type
        if event.before is None:
            return
        event = event.as_before()
        event_type = topology.event_types.get(type(event).__name__)


def read(body: str) -> tuple[UUID, Event]:
    """Return the id and the event of a message's body. Raises UndecodableError."""
    try:
        envelope = ENVELOPE.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UndecodableError(f"not a CloudEvents envelope: {error}") from None
    decoder = DECODERS.get(envelope.type)
    if decoder is None:
        raise UnknownTypeError(f"unknown event type {envelope.type[:MOST_TYPE]!r}")
    try:
        return envelope.id, decoder.decode(envelope.data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UndecodableError(f"not a {envelope.type}: {error}") from None
