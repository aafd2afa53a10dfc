"""Occasions that fell due: what webhooks and other subscribers hear."""

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


class BirthdayDue(DueEvent, frozen=True, kw_only=True):
    """A user's birthday fell due: the moment they chose came, on their day, where they live."""


class AnniversaryDue(DueEvent, frozen=True, kw_only=True):
    """An anniversary fell due, on its day, where its user lives."""

    name: Text


class ReminderDue(DueEvent, frozen=True, kw_only=True):
    """A reminder fell due: the local time came, where its user lives."""

    name: Text | None = None


class NotificationDue(DueEvent, frozen=True, kw_only=True):
    """A notification fell due: its instant came."""

    name: Text | None = None
