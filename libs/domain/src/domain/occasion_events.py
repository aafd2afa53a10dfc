"""What happens to anniversaries, reminders and notifications; a birthday goes with its user."""

from uuid import UUID

from domain.event import Event, Instant, LocalDateTime, LocalTime, NominalDate, Text, Version
from domain.kinds import OccasionType
from domain.occasion import LeapDayPolicy, LocalDate
from domain.priority import Priority


class OccasionState(Event, frozen=True, kw_only=True, omit_defaults=True):
    """All that scheduling needs of an occasion, whole; its zone is its user's.

    An anniversary has `name`, `date` and `send_at_local`; a reminder `message`, `local_date_time` and, where
    it recurs, `rrule` and the `last_date` that may ring; a notification `message` and `at`.

    What comes round on February 29 has the `leap_day_policy` that `first_date` was decided under: its user's
    own event, with another one, may be heard of before or after. Older events of it are without: its user's.
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
    leap_day_policy: LeapDayPolicy | None = None


class OccasionAdded(OccasionState, frozen=True, kw_only=True):
    """A user was given an anniversary, a reminder or a notification."""


class OccasionChanged(OccasionState, frozen=True, kw_only=True):
    """An occasion was changed, or its user's leap-day policy, where it comes round on February 29."""


class OccasionRemoved(Event, frozen=True, kw_only=True):
    """An occasion was removed; a deleted user's occasions go without one."""

    occasion_id: UUID
    user_id: UUID
    version: Version
    occurred_at: Instant
