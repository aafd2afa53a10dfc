"""The events of an occasion, appended in the transaction of the change that they tell of."""

from collections.abc import Sequence
from typing import TypeVar

from domain.events import OccasionAdded, OccasionChanged, OccasionRemoved, OccasionState
from domain.yearly_dates import is_leap_day
from messaging.envelope import Outgoing, compose
from messaging.outbox import append
from messaging.topology import Topology
from runtime.database import Connection

from user_api.occasion import Occasion, Owner
from user_api.user_events import SOURCE, event_id

State = TypeVar("State", bound=OccasionState)


async def append_added(connection: Connection, topology: Topology, occasion: Occasion, owner: Owner) -> None:
    """Append OccasionAdded."""
    await _append(connection, topology, [state_of(occasion, owner, OccasionAdded)])


async def append_changed(
    connection: Connection, topology: Topology, occasions: Sequence[Occasion], owner: Owner
) -> None:
    """Append OccasionChanged of each; they have one owner."""
    await _append(
        connection, topology, [state_of(occasion, owner, OccasionChanged) for occasion in occasions]
    )


async def append_removed(connection: Connection, topology: Topology, last: Occasion) -> None:
    """Append OccasionRemoved: the removal is a version of its own, the last."""
    event = OccasionRemoved(
        occasion_id=last.id, user_id=last.user_id, version=last.version, occurred_at=last.updated_at
    )
    await _append(connection, topology, [event])


def state_of(occasion: Occasion, owner: Owner, change: type[State]) -> State:
    """Give the event that tells the whole state an occasion is in now."""
    details = occasion.details
    of_leap_day = details.date is not None and is_leap_day(details.date)
    return change(
        occasion_id=occasion.id,
        user_id=occasion.user_id,
        version=occasion.version,
        occurred_at=occasion.updated_at,
        type=details.type,
        first_date=occasion.first_date,
        priority=details.priority,
        name=details.name,
        message=details.message,
        date=details.date,
        send_at_local=details.send_at_local,
        local_date_time=details.local_date_time,
        rrule=details.rrule,
        last_date=occasion.last_date,
        at=details.at,
        leap_day_policy=owner.leap_day_policy if of_leap_day else None,
    )


async def _append(
    connection: Connection, topology: Topology, events: Sequence[OccasionState | OccasionRemoved]
) -> None:
    messages = []
    for event in events:
        named = event_id(event.occasion_id, event.version, event.event_type)
        outgoing = Outgoing(event_id=named, subject=event.user_id, event=event)
        messages += compose(topology, SOURCE, event.occurred_at, [outgoing])
    await append(connection, messages)
