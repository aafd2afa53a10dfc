"""Missed: what could not be sent within its catch-up window is told of instead."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from domain.catch_up import DEFAULT_CATCH_UP, is_missed
from domain.events import OccurrenceExpired
from domain.ids import outcome_event_id
from messaging.envelope import Outgoing
from messaging.topology import EventType
from runtime.database import Connection
from runtime.statements import Statements

SQL = Statements("scheduler")


def missed_because(
    row: asyncpg.Record, due_type: EventType, *, now: datetime, returned_at: datetime
) -> str | None:
    """Return why a claimed occurrence is too late to be sent; None if it is not."""
    hours = due_type.catch_up_hours
    catch_up = DEFAULT_CATCH_UP if hours is None else timedelta(hours=hours)
    missed = is_missed(
        now=now,
        ripe_at=row["ripe_at"] or row["due_at"],
        planned_at=row["planned_at"],
        returned_at=returned_at,
        catch_up=catch_up,
    )
    return f"not sent within {catch_up / timedelta(hours=1):g} h of its time" if missed else None


def expired_event(row: asyncpg.Record, reason: str, *, now: datetime) -> Outgoing:
    """Return the event of a missed occurrence."""
    event = OccurrenceExpired(
        due_event_id=row["event_id"],
        occasion_id=row["occasion_id"],
        user_id=row["user_id"],
        occurred_at=now,
        local_date=row["local_date"],
        timezone=row["timezone"],
        due_at=row["due_at"],
        late_by_seconds=int((now - row["due_at"]).total_seconds()),
        reason=reason,
    )
    event_id = outcome_event_id(row["event_id"], OccurrenceExpired.event_type)
    return Outgoing(event_id=event_id, subject=row["user_id"], event=event)


async def expire(connection: Connection, missed: Sequence[tuple[UUID, str]]) -> None:
    """Move claimed occurrences, named by their event ids, to history as EXPIRED, each with its reason."""
    if missed:
        await connection.execute(
            SQL["expire"], [event_id for event_id, _ in missed], [reason for _, reason in missed]
        )
