"""The consumer kit: an event of Carillon's at a time, in a service of anybody's. See docs/consumers.md."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Generic, TypeVar
from uuid import UUID

import structlog
from domain.events import Event
from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind
from runtime.waiting import StoppedError
from types_aiobotocore_sqs.type_defs import MessageTypeDef

from messaging.envelope import UndecodableError, UnknownTypeError, read
from messaging.listen import listen
from messaging.listening import Listening
from messaging.open_inbox import DatabaseInbox, open_inbox
from messaging.remember_ids import RememberedIds

__all__ = ["DatabaseInbox", "Events", "Inbox", "consume", "listen", "open_inbox"]

log = structlog.get_logger()

MOST_REASONS = 100

E = TypeVar("E", bound=Event)
Inbox = RememberedIds | DatabaseInbox


def consume(listening: Listening, *, types: Sequence[type[E]], inbox: Inbox | None = None) -> "Events[E]":
    """Iterate over the events of these types that arrive, one after the other, until told to stop.

    An event is done, and its message deleted, when the loop comes back for the next one. A body that raises,
    breaks or is cancelled gives it back: it comes again after 1 s, 4 s, 16 s …, until the queue's redrive
    takes it. `inbox` knows the events that were done; without one, those of this process.
    """
    return Events(listening, types, inbox or listening.remembered)


class Events(Generic[E]):
    """The events of one loop. While one is in hand, its message is kept from other consumers."""

    def __init__(self, listening: Listening, types: Sequence[type[E]], inbox: Inbox) -> None:
        self._listening = listening
        self._types = tuple(types)
        self._inbox = inbox
        self._unasked = set[str]()
        self._begun = False

    def __aiter__(self) -> "Events[E]":
        """Begin a loop."""
        self._begun = False
        return self

    async def __anext__(self) -> E:
        """End the event in hand, and wait for the next."""
        if self._begun:
            await self._listening.done()
        else:
            # An earlier loop left it there: its body has raised or broken off.
            await self._listening.give_back()
            self._begun = True
        try:
            while (message := await self._listening.take()) is not None:
                wanted = await self._wanted(message)
                if wanted is None:
                    continue
                event_id, event = wanted
                if await self._listening.begin(message, partial(self._processing, message, event_id)):
                    return event
                await self._listening.done()
        except StoppedError:
            pass
        raise StopAsyncIteration

    async def _wanted(self, message: MessageTypeDef) -> tuple[UUID, E] | None:
        """Read a message; None once one is disposed of that nobody asked for, or that nobody can read."""
        try:
            event_id, event = read(message["Body"])
        except UnknownTypeError as error:
            await self._ignore(message, str(error))
        except UndecodableError as error:
            await self._listening.dead_letter(message, str(error))
        else:
            if isinstance(event, self._types):
                return event_id, event
            await self._ignore(message, f"{event.event_type} is not asked for")
        return None

    async def _ignore(self, message: MessageTypeDef, reason: str) -> None:
        """Delete a message of another type: of a topic's next version, for one. Said once a reason."""
        if reason not in self._unasked and len(self._unasked) < MOST_REASONS:
            self._unasked.add(reason)
            log.warning("event.ignored", queue=self._listening.name, reason=reason)
        await self._listening.delete(message)

    @asynccontextmanager
    async def _processing(self, message: MessageTypeDef, event_id: UUID) -> AsyncIterator[bool]:
        """Process an event within a span that continues its message's trace; False if it was done before."""
        attributes = message.get("MessageAttributes", {})
        told = {name: value["StringValue"] for name, value in attributes.items() if "StringValue" in value}
        name = self._listening.name
        # OpenTelemetry's own globals, as its user has set them up; without any, the trace is passed on.
        with trace.get_tracer("carillon.messaging").start_as_current_span(
            f"process {name}",
            context=propagate.extract(told),
            kind=SpanKind.CONSUMER,
            attributes={
                "messaging.system": "aws_sqs",
                "messaging.operation.name": "process",
                "messaging.operation.type": "process",
                "messaging.destination.name": name,
                "messaging.message.id": str(event_id),
            },
        ):
            async with self._inbox.once(event_id) as is_new:
                yield is_new
