"""Users: as a client describes them, as they are stored, as they are answered."""

from datetime import date, datetime, time
from typing import Annotated
from uuid import UUID

import asyncpg
from domain.occasion import LeapDayPolicy, Yearly
from msgspec import Meta, Struct

Instant = Annotated[datetime, Meta(tz=True)]
"""In UTC, as all are."""


class Details(Struct, frozen=True, kw_only=True, gc=False):
    """All that a client says of a user; `send_at_local` is local time in `timezone`, whole seconds."""

    first_name: str
    last_name: str
    date_of_birth: date
    timezone: str
    email: str | None
    send_at_local: time
    leap_day_policy: LeapDayPolicy

    @property
    def birthday(self) -> Yearly:
        """What decides when their birthday rings."""
        return Yearly(
            date=self.date_of_birth,
            send_at_local=self.send_at_local,
            timezone=self.timezone,
            leap_day_policy=self.leap_day_policy,
        )


class User(Struct, frozen=True, kw_only=True, gc=False):
    """A user as stored; instants are UTC, `first_date` is the nominal date before which nothing rings."""

    id: UUID
    version: int
    details: Details
    first_date: str
    created_at: datetime
    updated_at: datetime


class UserAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """A user as answered."""

    id: UUID
    version: Annotated[int, Meta(description="Counts the changes, from 1.")]
    first_name: str
    last_name: str
    date_of_birth: date
    timezone: Annotated[str, Meta(description="The name of an IANA time zone.")]
    email: str | None
    send_at_local: Annotated[str, Meta(description="When the birthday rings, local time: HH:MM or HH:MM:SS.")]
    leap_day_policy: LeapDayPolicy
    created_at: Instant
    updated_at: Instant


def user_of(row: asyncpg.Record) -> User:
    """Give the user of a row of users.users."""
    return User(
        id=row["id"],
        version=row["version"],
        details=Details(
            first_name=row["first_name"],
            last_name=row["last_name"],
            date_of_birth=row["date_of_birth"],
            timezone=row["timezone"],
            email=row["email"],
            send_at_local=row["send_at_local"],
            leap_day_policy=LeapDayPolicy(row["leap_day_policy"]),
        ),
        first_date=row["first_date"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def answer_of(user: User) -> UserAnswer:
    """Give the answer that tells of a user."""
    details = user.details
    return UserAnswer(
        id=user.id,
        version=user.version,
        first_name=details.first_name,
        last_name=details.last_name,
        date_of_birth=details.date_of_birth,
        timezone=details.timezone,
        email=details.email,
        send_at_local=shown_time(details.send_at_local),
        leap_day_policy=details.leap_day_policy,
        created_at=user.created_at,
        updated_at=user.updated_at,
    )


def shown_time(at: time) -> str:
    """Show a local time as HH:MM, or HH:MM:SS where it has seconds."""
    return at.isoformat("seconds" if at.second else "minutes")
