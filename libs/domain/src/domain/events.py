"""Events: past facts, as they are published; contracts/events holds their schemas."""

from datetime import date
from typing import Literal
from uuid import UUID

import msgspec

from domain.due_events import AnniversaryDue, BirthdayDue, DueEvent, NotificationDue, ReminderDue
from domain.endpoint_events import EndpointDisabled
from domain.event import Count, Event, Instant, LocalTime, NominalDate, Text, Version
from domain.occasion import LeapDayPolicy
from domain.occasion_events import OccasionAdded, OccasionChanged, OccasionRemoved, OccasionState

__all__ = [
    "EVENT_TYPES",
    "AnniversaryDue",
    "BirthdayDue",
    "DeliveryResult",
    "DueEvent",
    "EndpointDisabled",
    "Event",
    "NotificationDue",
    "OccasionAdded",
    "OccasionChanged",
    "OccasionRemoved",
    "OccasionState",
    "OccurrenceCompleted",
    "OccurrenceFailed",
    "OccurrenceProgress",
    "ReminderDue",
    "UserBirthdayChanged",
    "UserCreated",
    "UserDeleted",
    "UserNameChanged",
    "UserState",
    "UserTimezoneChanged",
    "schema_id",
    "type_name",
]


class UserState(Event, frozen=True, kw_only=True):
    """All that scheduling needs of a user, whole: dropping an older event loses nothing. No e-mail."""

    user_id: UUID
    version: Version
    occurred_at: Instant
    first_name: Text
    last_name: Text
    date_of_birth: date
    timezone: Text
    send_at_local: LocalTime
    leap_day_policy: LeapDayPolicy
    first_date: NominalDate


class UserCreated(UserState, frozen=True, kw_only=True):
    """A user was created."""


class UserBirthdayChanged(UserState, frozen=True, kw_only=True):
    """A user's date of birth, time of ringing or leap-day policy was changed."""


class UserTimezoneChanged(UserState, frozen=True, kw_only=True):
    """A user moved to another time zone."""


class UserNameChanged(UserState, frozen=True, kw_only=True):
    """A user's name was changed, and nothing that decides when they are congratulated."""


class UserDeleted(Event, frozen=True, kw_only=True):
    """A user was deleted, with every occasion they had."""

    user_id: UUID
    version: Version
    occurred_at: Instant


class DeliveryResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """How one endpoint's delivery of a due event ended, after how many attempts."""

    endpoint_id: UUID
    status: Literal["delivered", "failed", "missed", "cancelled"]
    attempts: Count
    reason: str | None = None


class OccurrenceCompleted(Event, frozen=True, kw_only=True):
    """Every delivery of a due event was settled, and none of them failed."""

    due_event_id: UUID
    user_id: UUID
    occurred_at: Instant
    results: tuple[DeliveryResult, ...]


class OccurrenceFailed(Event, frozen=True, kw_only=True):
    """Every delivery of a due event was settled, and at least one was given up."""

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


EVENT_TYPES: dict[str, type[Event]] = {
    event.event_type: event
    for event in (
        UserCreated,
        UserBirthdayChanged,
        UserTimezoneChanged,
        UserNameChanged,
        UserDeleted,
        OccasionAdded,
        OccasionChanged,
        OccasionRemoved,
        BirthdayDue,
        AnniversaryDue,
        ReminderDue,
        NotificationDue,
        OccurrenceCompleted,
        OccurrenceFailed,
        OccurrenceProgress,
        EndpointDisabled,
    )
}
"""Every event type this release reads or writes, by name."""


def type_name(event: type[Event]) -> str:
    """Give the CloudEvents `type`, such as `carillon.UserCreated.v1`."""
    return f"carillon.{event.event_type}.v{event.schema_version}"


def schema_id(event: type[Event]) -> str:
    """Give the `$id` of the event's JSON Schema, such as `urn:carillon:event:UserCreated:v1`."""
    return f"urn:carillon:event:{event.event_type}:v{event.schema_version}"
