"""Occasions: as a client describes them, as they are stored."""

from datetime import datetime, time
from uuid import UUID

import asyncpg
from domain.kinds import OccasionType
from domain.occasion import LeapDayPolicy, LocalDate
from domain.priority import Priority
from msgspec import Struct

PRIORITIES = tuple(sorted(Priority, key=lambda priority: priority.rank))


class OccasionDetails(Struct, frozen=True, kw_only=True):
    """All that a client says of an occasion; what is no field of its type is None.

    `local_date_time` is naive, in the user's zone; a notification without `at` is due at once.
    """

    type: OccasionType
    name: str | None = None
    message: str | None = None
    date: LocalDate | None = None
    send_at_local: time | None = None
    local_date_time: datetime | None = None
    rrule: str | None = None
    at: datetime | None = None
    priority: Priority | None = None

    @property
    def is_one_off(self) -> bool:
        """Tell whether it rings once: neither every year nor by a rule."""
        return self.date is None and self.rrule is None


class Occasion(Struct, frozen=True, kw_only=True):
    """An occasion as stored; instants are UTC.

    `last_date` is the last local date of a rule that ends, `first_date` the nominal date before which nothing
    rings.
    """

    id: UUID
    user_id: UUID
    version: int
    details: OccasionDetails
    last_date: LocalDate | None
    first_date: str
    created_at: datetime
    updated_at: datetime


class Owner(Struct, frozen=True, kw_only=True):
    """What a user decides about the dates of their occasions."""

    id: UUID
    timezone: str
    leap_day_policy: LeapDayPolicy


def owner_of(user_id: UUID, row: asyncpg.Record) -> Owner:
    """Give the owner of a row of users.users."""
    return Owner(id=user_id, timezone=row["timezone"], leap_day_policy=LeapDayPolicy(row["leap_day_policy"]))


def occasion_of(row: asyncpg.Record) -> Occasion:
    """Give the occasion of a row of users.occasions."""
    return Occasion(
        id=row["id"],
        user_id=row["user_id"],
        version=row["version"],
        details=OccasionDetails(
            type=row["type"],
            name=row["name"],
            message=row["message"],
            date=row["date"],
            send_at_local=row["send_at_local"],
            local_date_time=row["local_date_time"],
            rrule=row["rrule"],
            at=row["at"],
            priority=None if row["priority"] is None else PRIORITIES[row["priority"]],
        ),
        last_date=row["last_date"],
        first_date=row["first_date"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
