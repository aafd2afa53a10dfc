"""What becomes of an occurrence once it fell due."""

from datetime import date
from typing import Literal
from uuid import UUID

import msgspec

from domain.event import Count, Event, Instant, LocalTime, Text, Version
from domain.priority import Priority


class DeliveryResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """How one endpoint's delivery of a due event ended, after how many attempts."""

    endpoint_id: UUID
    status: Literal["delivered", "failed", "missed", "cancelled"]
    attempts: Count
    reason: str | None = None


class OccurrenceScheduled(Event, frozen=True, kw_only=True):
    """An occasion's next occurrence was planned, or planned anew; an occasion has one such at a time.

    `version` grows by each change of the user and of the occasion: of two, the newer has the later of
    (version, local_date, occurred_at).
    """

    due_event_id: UUID
    due_event_type: Text
    occasion_id: UUID
    user_id: UUID
    version: Version
    occurred_at: Instant
    local_date: date
    local_time: LocalTime
    timezone: Text
    due_at: Instant
    priority: Priority


class OccurrenceCompleted(Event, frozen=True, kw_only=True):
    """Every delivery of a due event was settled, and none of them failed."""

    due_event_id: UUID
    user_id: UUID
    occurred_at: Instant
    results: tuple[DeliveryResult, ...]


class OccurrenceFailed(Event, frozen=True, kw_only=True):
    """A due event was given up: by at least one delivery, or, without results, as nobody answered."""

    due_event_id: UUID
    user_id: UUID
    occurred_at: Instant
    results: tuple[DeliveryResult, ...]
    reason: Text


class OccurrenceProgress(Event, frozen=True, kw_only=True):
    """A due event was seen to be still in delivery; ask again at `check_at`."""

    due_event_id: UUID
    user_id: UUID
    occurred_at: Instant
    check_at: Instant


class OccurrenceExpired(Event, frozen=True, kw_only=True):
    """An occurrence missed its catch-up window: it was never emitted, and will not be.

    `due_event_id` is the id that its due event would have had.
    """

    due_event_id: UUID
    occasion_id: UUID
    user_id: UUID
    occurred_at: Instant
    local_date: date
    timezone: Text
    due_at: Instant
    late_by_seconds: Count
    reason: Text
