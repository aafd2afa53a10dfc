"""The event of a claimed occurrence: it is all in the row, so emitted again it is the same."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import asyncpg
from domain.events import OccurrenceCompleted
from domain.ids import outcome_event_id
from domain.kinds import KINDS, kind_of
from domain.message_text import message_text
from domain.priority import Priority
from messaging.envelope import Outgoing
from messaging.topology import EventType, Topology, due_event_type
from messaging.trace_messages import Origin
from opentelemetry.trace import get_current_span
from runtime.active_tracing import ROOT, active, links_to, parse_parent

SOURCE = "scheduler"
PRIORITIES = list(Priority)

DueTypes = Mapping[str, EventType]
"""What the topology says of each type's due events: priority, send window, catch-up window."""


def due_types(topology: Topology) -> DueTypes:
    """Return what the topology says of each type's due events. Raises TopologyError where a type has none."""
    return {occasion_type: due_event_type(topology, kind) for occasion_type, kind in KINDS.items()}


def due_event(row: asyncpg.Record) -> Outgoing:
    """Return the event of a claimed occurrence. Raises ValueError for one that has no words or no kind."""
    occasion_type, name, message = row["occasion_type"], row["name"], row["message"]
    words = message_text(
        occasion_type, first_name=row["first_name"], last_name=row["last_name"], name=name, message=message
    )
    kind = kind_of(occasion_type)
    named: dict[str, Any] = {"name": name} if "name" in kind.due_event.__struct_fields__ else {}
    event = kind.due_event(
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
    return Outgoing(event_id=row["event_id"], subject=row["user_id"], event=event, origin=origin_of(row))


def origin_of(row: asyncpg.Record) -> Origin | None:
    """Return where a due event comes from: nowhere, its trace begins; but it is linked to what led to it.

    That is the API call which made the occasion, and the claim under way. None where tracing is off.
    """
    if active() is None:
        return None
    claim = get_current_span().get_span_context()
    return Origin(ROOT, links_to([parse_parent(row["traceparent"]), claim]))


def unheard_event(row: asyncpg.Record, *, now: datetime) -> Outgoing:
    """Return the outcome of a claimed occurrence whose due event is not published: completed at once.

    Nobody hears it, so nobody would answer, and it would be emitted again for a day, and then have failed.
    """
    event = OccurrenceCompleted(
        due_event_id=row["event_id"], user_id=row["user_id"], occurred_at=now, results=()
    )
    event_id = outcome_event_id(row["event_id"], OccurrenceCompleted.event_type)
    return Outgoing(event_id=event_id, subject=row["user_id"], event=event)
