"""The event of a claimed occurrence: it is all in the row, so emitted again it is the same."""

from collections.abc import Mapping
from typing import Any

import asyncpg
from domain.events import AnniversaryDue, BirthdayDue, DueEvent, NotificationDue, ReminderDue
from domain.message_text import message_text
from domain.occasion import OccasionType
from domain.priority import Priority
from messaging.envelope import Outgoing
from messaging.topology import EventType, Topology

SOURCE = "scheduler"
PRIORITIES = list(Priority)
DUE_EVENTS: Mapping[OccasionType, type[DueEvent]] = {
    OccasionType.BIRTHDAY: BirthdayDue,
    OccasionType.ANNIVERSARY: AnniversaryDue,
    OccasionType.REMINDER: ReminderDue,
    OccasionType.NOTIFICATION: NotificationDue,
}

DueTypes = Mapping[OccasionType, EventType]
"""What the topology says of each type's due events: priority, send window, catch-up window."""


def due_types(topology: Topology) -> DueTypes:
    """Return what the topology says of each type's due events."""
    return {
        occasion_type: topology.event_types[event.event_type] for occasion_type, event in DUE_EVENTS.items()
    }


def due_event(row: asyncpg.Record) -> Outgoing:
    """Return the event of a claimed occurrence."""
    occasion_type = OccasionType(row["occasion_type"])
    name, message = row["name"], row["message"]
    words = message_text(
        occasion_type, first_name=row["first_name"], last_name=row["last_name"], name=name, message=message
    )
    named: dict[str, Any] = {} if occasion_type is OccasionType.BIRTHDAY else {"name": name}
    event = DUE_EVENTS[occasion_type](
        occasion_id=row["occasion_id"],
        user_id=row["user_id"],
        local_date=row["local_date"],
        local_time=row["send_at_local"],
        timezone=row["timezone"],
        due_at=row["due_at"],
        emitted_at=row["emitted_at"],
        late_by_seconds=max(0, int((row["emitted_at"] - row["due_at"]).total_seconds())),
        priority=PRIORITIES[row["priority"]],
        message=words,
        jitter_seconds=row["jitter_seconds"],
        **named,
    )
    return Outgoing(event_id=row["event_id"], subject=row["user_id"], event=event)
