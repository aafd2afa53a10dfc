"""Occasions as they are answered, a user's birthday among them."""

from datetime import datetime
from typing import Annotated, TypeVar
from uuid import UUID

from domain.ids import birthday_occasion_id
from domain.kinds import OccasionType
from domain.kinds.birthday import BIRTHDAY
from domain.occasion import LocalDate
from domain.priority import Priority
from msgspec import UNSET, Meta, Struct, UnsetType

from user_api.occasion import Occasion
from user_api.occasion_fields import FIELDS
from user_api.pause import Pause
from user_api.user import Instant, User, shown_time

Given = TypeVar("Given")


class OccasionAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """An occasion as answered: the fields of its type, null where nothing was given."""

    id: UUID
    user_id: UUID
    version: int
    type: OccasionType
    name: str | UnsetType | None = UNSET
    message: str | UnsetType = UNSET
    date: LocalDate | UnsetType = UNSET
    send_at_local: str | UnsetType = UNSET
    local_date_time: str | UnsetType = UNSET
    rrule: str | UnsetType | None = UNSET
    at: Instant | UnsetType = UNSET
    priority: Priority | None
    paused: Annotated[
        Pause | None, Meta(description="By itself; whether its whole type is, the event types tell.")
    ]
    created_at: Instant
    updated_at: Instant


def occasion_answer(occasion: Occasion, paused: Pause | None) -> OccasionAnswer:
    """Give the answer that tells of an occasion."""
    details = occasion.details
    fields = FIELDS[details.type]
    return OccasionAnswer(
        id=occasion.id,
        user_id=occasion.user_id,
        version=occasion.version,
        type=details.type,
        name=details.name if "name" in fields else UNSET,
        message=_given(details.message),
        date=_given(details.date),
        send_at_local=UNSET if details.send_at_local is None else shown_time(details.send_at_local),
        local_date_time=UNSET if details.local_date_time is None else _shown(details.local_date_time),
        rrule=details.rrule if "rrule" in fields else UNSET,
        at=_given(details.at),
        priority=details.priority,
        paused=paused,
        created_at=occasion.created_at,
        updated_at=occasion.updated_at,
    )


def birthday_answer(user: User, paused: Pause | None) -> OccasionAnswer:
    """Give the answer that tells of a user's birthday: it is as old as they are, and changes as they do."""
    return OccasionAnswer(
        id=birthday_occasion_id(user.id),
        user_id=user.id,
        version=user.version,
        type=BIRTHDAY.occasion_type,
        date=user.details.date_of_birth,
        send_at_local=shown_time(user.details.send_at_local),
        priority=None,
        paused=paused,
        created_at=user.created_at,
        updated_at=user.updated_at,
    )


def _given(value: Given | None) -> Given | UnsetType:
    return UNSET if value is None else value


def _shown(local: datetime) -> str:
    return f"{local.date()}T{shown_time(local.time())}"
