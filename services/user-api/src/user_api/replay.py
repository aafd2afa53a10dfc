"""Replays as they are asked for and answered."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import asyncpg
from msgspec import Meta, Struct

from user_api.user import Instant

Replayed = Literal["failed", "missed", "any"]
STATUSES_OF: Mapping[Replayed, tuple[str, ...]] = {
    "failed": ("failed",),
    "missed": ("missed",),
    "any": ("delivered", "failed", "missed"),
}


class NewReplay(Struct, frozen=True, kw_only=True):
    """What of an endpoint is to be sent again; `until` None is until now."""

    endpoint_id: UUID
    since: datetime
    until: datetime | None
    status: Replayed


class ReplayAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """A replay as answered."""

    id: UUID
    endpoint_id: UUID
    since: Instant
    until: Instant
    status: Replayed
    count: Annotated[int, Meta(description="How many deliveries there were when it was asked for.")]
    reopened: Annotated[int, Meta(description="How many of them are pending again, or were.")]
    requested_at: Instant
    finished_at: Annotated[Instant | None, Meta(description="When the last was; null while it goes on.")]


def replay_answer(row: asyncpg.Record) -> ReplayAnswer:
    """Give the answer that tells of a row of delivery.api_replays."""
    named = {statuses: name for name, statuses in STATUSES_OF.items()}
    return ReplayAnswer(
        id=row["id"],
        endpoint_id=row["endpoint_id"],
        since=row["since"],
        until=row["until"],
        status=named[tuple(row["statuses"])],
        count=row["deliveries"],
        reopened=row["reopened"],
        requested_at=row["requested_at"],
        finished_at=row["finished_at"],
    )
