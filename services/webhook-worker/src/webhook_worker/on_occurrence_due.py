"""Receiving: commit due events with their deliveries, leased to this worker, then start first attempts."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import uuid4

from domain.events import DueEvent
from messaging.consume import Received
from messaging.slots import Slots
from messaging.topology import Topology
from runtime.database import Connection, Pool
from runtime.statements import Statements
from uuid_utils.compat import uuid7

from webhook_worker.answer_repeats import answer_repeats
from webhook_worker.delivery import Delivery
from webhook_worker.endpoint import Endpoint
from webhook_worker.webhook_body import webhook_body

SQL = Statements("webhook_worker")

Accept = Callable[[Sequence[Received]], Awaitable[list[Delivery]]]
Start = Callable[[Delivery, Callable[[], None]], None]


async def on_occurrence_due(accept: Accept, start: Start, slots: Slots, batch: Sequence[Received]) -> None:
    """Accept a batch and start what is new; each delivery holds a slot until its attempt is recorded."""
    deliveries = await accept(batch)
    for delivery in deliveries:
        start(delivery, slots.release)
    slots.release(len(batch) - len(deliveries))


async def accept(
    pool: Pool,
    topology: Topology,
    endpoint: Endpoint,
    offset: timedelta,
    lease: timedelta,
    batch: Sequence[Received],
) -> list[Delivery]:
    """Commit a batch: new events with their deliveries, which are returned; repeated ones are answered."""
    async with pool.acquire() as connection, connection.transaction():
        deliveries = await accept_events(connection, endpoint, lease, batch)
        repeated = {received.event_id for received in batch} - {one.event_id for one in deliveries}
        await answer_repeats(connection, topology, offset, sorted(repeated))
        return deliveries


async def accept_events(
    connection: Connection, endpoint: Endpoint, lease: timedelta, batch: Sequence[Received]
) -> list[Delivery]:
    """Write the batch's new events with one delivery each, leased; return those deliveries.

    Raises TypeError for an event that is not a due one, which leaves it to the queue's redrive.
    """
    due = {received.event_id: due_event(received) for received in batch}
    bodies = {event_id: webhook_body(event_id, event) for event_id, event in due.items()}
    token = uuid4()
    rows = await connection.fetch(
        SQL["accept_events"],
        list(due),
        [event.user_id for event in due.values()],
        [event.event_type for event in due.values()],
        [event.priority.rank for event in due.values()],
        list(bodies.values()),
        [uuid7() for _ in due],
        endpoint.id,
        token,
        lease,
    )
    return [
        Delivery(
            id=row["id"],
            created_at=row["created_at"],
            event_id=row["event_id"],
            endpoint_id=endpoint.id,
            attempt=1,
            lease_token=token,
            body=bodies[row["event_id"]],
        )
        for row in rows
    ]


def due_event(received: Received) -> DueEvent:
    """Return the event as a due one. Raises TypeError."""
    if not isinstance(received.event, DueEvent):
        raise TypeError(f"not a due event: {type(received.event).__name__}")
    return received.event
