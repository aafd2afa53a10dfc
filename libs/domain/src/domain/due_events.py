"""Occasions that fell due: what webhooks and other subscribers hear, whatever the kind of occasion."""

from datetime import date
from uuid import UUID

from domain.event import Count, Event, Instant, LocalTime, Text
from domain.priority import Priority


class DueEvent(Event, frozen=True, kw_only=True, omit_defaults=True):
    """An occasion fell due: what every kind tells.

    `due_at` is when it was to ring, `jitter_seconds` after the local time, where its type has a send window.
    """

    occasion_id: UUID
    user_id: UUID
    local_date: date
    local_time: LocalTime
    timezone: Text
    due_at: Instant
    emitted_at: Instant
    late_by_seconds: Count
    priority: Priority
    message: Text
    jitter_seconds: Count = 0
