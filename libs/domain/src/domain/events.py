"""Events: past facts, as they are published; contracts/events holds their schemas.

Unknown fields are ignored, because contracts only grow. Instants are aware, in UTC; local times are whole
seconds.
"""

from datetime import date, datetime, time
from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec

from domain.occasion import LeapDayPolicy, LocalDate, OccasionType
from domain.priority import Priority

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
LocalTime = Annotated[time, msgspec.Meta(tz=False)]
LocalDateTime = Annotated[datetime, msgspec.Meta(tz=False)]
Text = Annotated[str, msgspec.Meta(min_length=1)]
Version = Annotated[int, msgspec.Meta(ge=1)]
Count = Annotated[int, msgspec.Meta(ge=0)]
NominalDate = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]


class Event(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that happened; an event type's name is its class's name."""

    event_type: ClassVar[str]
    schema_version: ClassVar[int] = 1

    def __init_subclass__(cls) -> None:
        """Name the event type."""
        cls.event_type = cls.__name__


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


class OccasionState(Event, frozen=True, kw_only=True, omit_defaults=True):
    """All that scheduling needs of an occasion, whole; zone and leap-day policy are its user's.

    An anniversary has `name`, `date` and `send_at_local`; a reminder `message`, `local_date_time` and, where
    it recurs, `rrule` and the `last_date` that may ring; a notification `message` and `at`.
    """

    occasion_id: UUID
    user_id: UUID
    version: Version
    occurred_at: Instant
    type: OccasionType
    first_date: NominalDate
    priority: Priority | None = None
    name: Text | None = None
    message: Text | None = None
    date: LocalDate | None = None
    send_at_local: LocalTime | None = None
    local_date_time: LocalDateTime | None = None
    rrule: Text | None = None
    last_date: LocalDate | None = None
    at: Instant | None = None


class OccasionAdded(OccasionState, frozen=True, kw_only=True):
    """A user was given an anniversary, a reminder or a notification."""


class OccasionChanged(OccasionState, frozen=True, kw_only=True):
    """An occasion was changed, or its user's leap-day policy, where that decides its next date."""


class OccasionRemoved(Event, frozen=True, kw_only=True):
    """An occasion was removed; a deleted user's occasions go without one."""

    occasion_id: UUID
    user_id: UUID
    version: Version
    occurred_at: Instant


class DueEvent(Event, frozen=True, kw_only=True, omit_defaults=True):
    """An occasion fell due: what every kind tells."""

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
    )
}
"""Every event type this release reads or writes, by name."""


def type_name(event: type[Event]) -> str:
    """Give the CloudEvents `type`, such as `carillon.UserCreated.v1`."""
    return f"carillon.{event.event_type}.v{event.schema_version}"


def schema_id(event: type[Event]) -> str:
    """Give the `$id` of the event's JSON Schema, such as `urn:carillon:event:UserCreated:v1`."""
    return f"urn:carillon:event:{event.event_type}:v{event.schema_version}"
