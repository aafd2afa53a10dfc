"""Messages to measure with: what the services themselves would have written, with made-up users."""

from datetime import UTC, datetime
from uuid import UUID

from domain.events import DeliveryResult, OccurrenceCompleted
from domain.ids import due_event_id, outcome_event_id
from messaging.consume import Received
from messaging.envelope import Message, Outgoing, compose, read
from messaging.topology import Topology
from testkit import build
from webhook_worker.endpoint import DEFAULT_ENDPOINT_ID


def due_messages(topology: Topology, number: int) -> list[Message]:
    """Return BirthdayDue messages of as many users, as the scheduler appends them."""
    events = [build.birthday_due(message=f"Hey, Ada Lovelace {n} it's your birthday") for n in range(number)]
    outgoing = [
        Outgoing(
            event_id=due_event_id(event.occasion_id, event.local_date.isoformat()),
            subject=event.user_id,
            event=event,
        )
        for event in events
    ]
    return compose(topology, "scheduler", datetime.now(UTC), outgoing)


def due_events(topology: Topology, number: int) -> list[Received]:
    """Return so many birthdays, as they come from the queue."""
    events = (read(message.body) for message in due_messages(topology, number))
    return [Received(event_id=event_id, event=event, receipt="") for event_id, event in events]


def outcome_message(topology: Topology, due: Message) -> Message:
    """Return the OccurrenceCompleted message of a due event, as the webhook worker appends it."""
    now, user_id = datetime.now(UTC), UUID(due.group_id)
    result = DeliveryResult(endpoint_id=DEFAULT_ENDPOINT_ID, status="delivered", attempts=1)
    event = OccurrenceCompleted(
        due_event_id=due.event_id, user_id=user_id, occurred_at=now, results=(result,)
    )
    outgoing = Outgoing(
        event_id=outcome_event_id(due.event_id, event.event_type), subject=user_id, event=event
    )
    [message] = compose(topology, "webhook-worker", now, [outgoing])
    return message
