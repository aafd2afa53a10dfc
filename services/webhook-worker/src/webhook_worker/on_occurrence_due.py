"""Receiving: commit due events with their deliveries, leased to this worker, then start first attempts."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from domain.events import DueEvent
from domain.webhook_types import webhook_type
from messaging.consume import Received
from messaging.slots import Slots
from messaging.topology import Topology
from msgspec import Struct
from runtime.active_tracing import traceparent_of
from runtime.database import Connection, Pool
from runtime.statements import Statements

from webhook_worker.answer_repeats import answer_repeats
from webhook_worker.delivery import Delivery
from webhook_worker.tell_outcomes import tell_outcomes
from webhook_worker.webhook_body import webhook_body

SQL = Statements("webhook_worker")

Accept = Callable[[Sequence[Received]], Awaitable[list[Delivery]]]
Admit = Callable[[Sequence[Delivery], Callable[[Delivery], None]], Awaitable[object]]


class Accepted(Struct, frozen=True, kw_only=True):
    """What is new of a batch: its events, those that nobody wants, and the deliveries to be tried now."""

    event_ids: set[UUID]
    unwanted: set[UUID]
    deliveries: list[Delivery]


async def on_occurrence_due(accept: Accept, admit: Admit, slots: Slots, batch: Sequence[Received]) -> None:
    """Accept a batch and start what is new; a message holds its slot until its attempts have ended."""
    deliveries = await accept(batch)
    left = Counter(delivery.event_id for delivery in deliveries)

    def done(delivery: Delivery) -> None:
        left[delivery.event_id] -= 1
        if not left[delivery.event_id]:
            slots.release()

    slots.release(len(batch) - len(left))
    await admit(deliveries, done)


async def accept(
    pool: Pool,
    topology: Topology,
    default_id: Callable[[], UUID | None],
    offset: timedelta,
    lease: timedelta,
    batch: Sequence[Received],
) -> list[Delivery]:
    """Commit a batch: new events with their deliveries; return those to be tried. Repeats are answered."""
    async with pool.acquire() as connection, connection.transaction():
        accepted = await accept_events(connection, default_id(), lease, batch)
        await tell_outcomes(connection, topology, offset, dict.fromkeys(accepted.unwanted, 0))
        repeated = {received.event_id for received in batch} - accepted.event_ids
        await answer_repeats(connection, topology, offset, sorted(repeated))
        return accepted.deliveries


async def accept_events(
    connection: Connection, default_id: UUID | None, lease: timedelta, batch: Sequence[Received]
) -> Accepted:
    """Write the batch's new events with a delivery for each endpoint that wants them, there and then.

    Raises TypeError for an event that is not a due one, which leaves it to the queue's redrive.
    """
    due = {received.event_id: due_event(received) for received in batch}
    bodies = {event_id: webhook_body(event_id, event) for event_id, event in due.items()}
    traces = {
        received.event_id: traceparent_of(received.parent) if received.parent else None for received in batch
    }
    rows = await connection.fetch(
        SQL["accept_events"],
        list(due),
        [event.user_id for event in due.values()],
        [event.event_type for event in due.values()],
        [webhook_type(event.event_type) for event in due.values()],
        [event.priority.rank for event in due.values()],
        list(bodies.values()),
        default_id,
        uuid4(),
        lease,
        [traces[event_id] for event_id in due],
    )
    deliveries = [
        Delivery(
            id=row["id"],
            created_at=row["created_at"],
            event_id=row["event_id"],
            endpoint_id=row["endpoint_id"],
            endpoint_version=row["endpoint_version"],
            attempt=1,
            lease_token=row["lease_token"],
            body=bodies[row["event_id"]],
            traceparent=traces[row["event_id"]],
        )
        for row in rows
        if row["lease_token"] is not None
    ]
    return Accepted(
        event_ids={row["event_id"] for row in rows},
        unwanted={row["event_id"] for row in rows if row["id"] is None},
        deliveries=deliveries,
    )


def due_event(received: Received) -> DueEvent:
    """Return the event as a due one. Raises TypeError."""
    if not isinstance(received.event, DueEvent):
        raise TypeError(f"not a due event: {type(received.event).__name__}")
    return received.event
