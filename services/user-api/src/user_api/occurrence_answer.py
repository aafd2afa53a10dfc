"""Occurrences as they are answered."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import asyncpg
from domain.kinds import OccasionType
from domain.occurrence import OccurrenceStatus
from msgspec import Meta, Struct

from user_api.user import Instant, shown_time

Jitter = Annotated[
    int,
    Meta(description="How many seconds `dueAt` is after the local time, where its type has a send window."),
]


class UpcomingAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """A date that is to come; PENDING is what the scheduler has planned, PREVIEW what it will."""

    occasion_id: UUID
    event_type: OccasionType
    local_date: date
    local_time: str
    timezone: str
    due_at: Instant
    jitter_seconds: Jitter
    status: Literal["PREVIEW", "PENDING"]


class UpcomingItems(Struct, frozen=True, kw_only=True):
    """The dates to come, the next one first."""

    items: list[UpcomingAnswer]


class OccurrenceAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """An occurrence as the scheduler has it; `completed_at` is when it came to its end, whatever that was."""

    id: UUID
    event_id: UUID
    occasion_id: UUID
    event_type: OccasionType
    local_date: date
    local_time: str
    timezone: str
    due_at: Instant
    jitter_seconds: Jitter
    status: OccurrenceStatus
    completed_at: Instant | None
    failure_reason: str | None


def occurrence_answer(row: asyncpg.Record) -> OccurrenceAnswer:
    """Give the answer that tells of a row of schedule.api_occurrences."""
    return OccurrenceAnswer(
        id=row["id"],
        event_id=row["event_id"],
        occasion_id=row["occasion_id"],
        event_type=row["occasion_type"],
        local_date=row["local_date"],
        local_time=shown_time(row["local_time"]),
        timezone=row["timezone"],
        due_at=row["due_at"],
        jitter_seconds=row["jitter_seconds"],
        status=OccurrenceStatus(row["status"]),
        completed_at=row["completed_at"],
        failure_reason=row["failure_reason"],
    )
