"""What is planned is told: news for calendars and dashboards, which a topology may do without."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

import asyncpg
from domain.events import OccurrenceScheduled
from domain.ids import scheduled_event_id
from domain.kinds import kind_of
from messaging.envelope import Outgoing
from messaging.topology import Topology

from scheduler.due_event import PRIORITIES
from scheduler.pending import Pending
from scheduler.plan_following import NextDate


def told_of_plans(
    topology: Topology, planned: Iterable[Pending], before: Mapping[UUID, asyncpg.Record], *, now: datetime
) -> list[Outgoing]:
    """Return the events of what is planned otherwise than the PENDING row of its occasion was `before`."""
    if not is_published(topology):
        return []
    return [outgoing(event_of(row, now=now)) for row in planned if differs(row, before.get(row.occasion_id))]


def told_of_next_dates(
    topology: Topology, next_dates: Iterable[tuple[asyncpg.Record, NextDate | None]], *, now: datetime
) -> list[Outgoing]:
    """Return the events of the dates that follow the rows of a claim."""
    if not is_published(topology):
        return []
    return [outgoing(event_of_next(row, following, now=now)) for row, following in next_dates if following]


def is_published(topology: Topology) -> bool:
    """Tell whether anybody is told: looked at first, so that news for nobody costs nothing."""
    return topology.event_types[OccurrenceScheduled.event_type].published


def differs(row: Pending, before: asyncpg.Record | None) -> bool:
    """Tell whether a subscriber would learn anything; a new name, say, plans the same again."""
    return before is None or any(
        getattr(row, field) != before[field] for field in ("event_id", "due_at", "timezone", "priority")
    )


def event_of(row: Pending, *, now: datetime) -> OccurrenceScheduled:
    """Return the event of a PENDING row, planned `now`."""
    return OccurrenceScheduled(
        due_event_id=row.event_id,
        due_event_type=kind_of(row.occasion_type).due_event.event_type,
        occasion_id=row.occasion_id,
        user_id=row.user_id,
        version=row.user_version + (row.occasion_version or 0),
        occurred_at=now,
        local_date=row.local_date,
        local_time=row.send_at_local,
        timezone=row.timezone,
        due_at=row.due_at,
        priority=PRIORITIES[row.priority],
    )


def event_of_next(row: asyncpg.Record, following: NextDate, *, now: datetime) -> OccurrenceScheduled:
    """Return the event of the date that follows a claimed row."""
    return OccurrenceScheduled(
        due_event_id=following.event_id,
        due_event_type=kind_of(row["occasion_type"]).due_event.event_type,
        occasion_id=row["occasion_id"],
        user_id=row["user_id"],
        version=row["user_version"] + (row["occasion_version"] or 0),
        occurred_at=now,
        local_date=following.local_date,
        local_time=row["send_at_local"],
        timezone=row["timezone"],
        due_at=following.due_at,
        priority=PRIORITIES[row["priority"]],
    )


def outgoing(event: OccurrenceScheduled) -> Outgoing:
    """Give the event its id."""
    event_id = scheduled_event_id(event.due_event_id, event.version, event.due_at)
    return Outgoing(event_id=event_id, subject=event.user_id, event=event)
