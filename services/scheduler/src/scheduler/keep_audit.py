"""The audit of what events tell: one more subscriber, which appends an entry an event (ADR 0045)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.events import (
    DueEvent,
    OccasionRemoved,
    OccasionState,
    OccurrenceCompleted,
    OccurrenceExpired,
    OccurrenceFailed,
    OccurrenceScheduled,
    UserDeleted,
    UserState,
)
from messaging.received import Received
from msgspec import Struct
from msgspec.structs import astuple
from opentelemetry.trace import format_trace_id
from runtime.database import Pool
from runtime.statements import Statements

from scheduler.due_event import SOURCE

SQL = Statements("scheduler")

USER_API, WORKER = "user-api", "webhook-worker"


class Entry(Struct, frozen=True, kw_only=True):
    """A change, in the order of columns of `append_entries.sql`."""

    id: UUID
    at: datetime
    what: str
    who: str
    about: str
    about_id: str
    user_id: UUID
    version: int | None
    trace_id: str | None


async def keep_audit(pool: Pool, batch: Sequence[Received]) -> None:
    """Append an entry for each event of a batch, in one statement; one that is told again changes nothing.

    Raises TypeError for an event that tells of no change here, which leaves it to the queue's redrive.
    """
    entries = [entry_of(received) for received in batch]
    await pool.execute(SQL["append_entries"], *map(list, zip(*map(astuple, entries), strict=True)))


def entry_of(received: Received) -> Entry:
    """Return what an event tells, without a word of what users wrote. Raises TypeError."""
    event = received.event
    version: int | None = None
    match event:
        case UserState() | UserDeleted():
            who, about, about_id = USER_API, "user", event.user_id
            at, version = event.occurred_at, event.version
        case OccasionState() | OccasionRemoved():
            who, about, about_id = USER_API, "occasion", event.occasion_id
            at, version = event.occurred_at, event.version
        case DueEvent():
            who, about, about_id, at = SOURCE, "occurrence", received.event_id, event.emitted_at
        case OccurrenceExpired() | OccurrenceScheduled():
            who, about, about_id, at = SOURCE, "occurrence", event.due_event_id, event.occurred_at
        case OccurrenceCompleted() | OccurrenceFailed():
            who, about, about_id, at = WORKER, "occurrence", event.due_event_id, event.occurred_at
        case _:
            raise TypeError(f"not an event of the audit: {type(event).__name__}")
    return Entry(
        id=received.event_id,
        at=at,
        what=type(event).__name__,
        who=received.actor or who,
        about=about,
        about_id=str(about_id),
        user_id=event.user_id,
        version=version,
        trace_id=format_trace_id(received.parent.trace_id) if received.parent else None,
    )
