"""Events: past facts, as they are published; contracts/events holds their schemas."""

from collections.abc import Iterator
from datetime import date
from uuid import UUID

from domain.dead_letter_events import DeadLettered
from domain.due_events import DueEvent
from domain.endpoint_events import EndpointDisabled
from domain.event import Event, Instant, LocalTime, NominalDate, Text, Version
from domain.kinds import KINDS
from domain.kinds.anniversary import AnniversaryDue
from domain.kinds.birthday import BirthdayDue
from domain.kinds.notification import NotificationDue
from domain.kinds.reminder import ReminderDue
from domain.occasion import LeapDayPolicy
from domain.occasion_events import OccasionAdded, OccasionChanged, OccasionRemoved, OccasionState
from domain.occurrence_events import (
    DeliveryResult,
    OccurrenceCompleted,
    OccurrenceExpired,
    OccurrenceFailed,
    OccurrenceProgress,
    OccurrenceScheduled,
)

__all__ = [
    "EVENT_TYPES",
    "AnniversaryDue",
    "BirthdayDue",
    "DeadLettered",
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
    "OccurrenceExpired",
    "OccurrenceFailed",
    "OccurrenceProgress",
    "OccurrenceScheduled",
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


_EVENTS: tuple[type[Event], ...] = (
    UserCreated,
    UserBirthdayChanged,
    UserTimezoneChanged,
    UserNameChanged,
    UserDeleted,
    OccasionAdded,
    OccasionChanged,
    OccasionRemoved,
    *(kind.due_event for kind in KINDS.values()),
    OccurrenceScheduled,
    OccurrenceCompleted,
    OccurrenceFailed,
    OccurrenceProgress,
    OccurrenceExpired,
    EndpointDisabled,
    DeadLettered,
)


def _versions(event: type[Event] | None) -> Iterator[type[Event]]:
    while event is not None:
        yield event
        event = event.before


EVENT_TYPES: dict[str, type[Event]] = {
    version.__name__: version for event in _EVENTS for version in _versions(event)
}
"""Every event type this release reads or writes, each version by its name in the topology."""


def type_name(event: type[Event]) -> str:
    """Give the CloudEvents `type`, such as `carillon.UserCreated.v1`."""
    return f"carillon.{event.event_type}.v{event.schema_version}"


def schema_id(event: type[Event]) -> str:
    """Give the `$id` of the event's JSON Schema, such as `urn:carillon:event:UserCreated:v1`."""
    return f"urn:carillon:event:{event.event_type}:v{event.schema_version}"
