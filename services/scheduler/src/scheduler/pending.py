"""The PENDING row of an occasion: the one date planned next, with all that a claim reads."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

import asyncpg
from domain.due_date import DueDate
from domain.ids import due_event_id
from domain.zones import TZ_DATABASE_VERSION
from msgspec import Struct
from msgspec.structs import astuple
from runtime.database import Connection
from runtime.statements import Statements

SQL = Statements("scheduler")


class Pending(Struct, frozen=True, kw_only=True):
    """One planned occurrence, in the order of columns of `write_pending.sql`. Instants are UTC.

    `anchor_date` and `send_at_local` are where its rule starts; `claimed_rule` finds it again by them.
    Lateness counts from `ripe_at`, the later of `due_at` and the change that set the date. `traceparent` is
    the API call that made the occasion.
    """

    event_id: UUID
    occasion_id: UUID
    occasion_type: str
    user_id: UUID
    priority: int
    nominal_date: str
    after_date: str | None
    local_date: date
    send_at_local: time
    timezone: str
    anchor_date: date
    leap_day_policy: str
    rrule: str | None
    last_date: date | None
    first_name: str
    last_name: str
    name: str | None
    message: str | None
    due_at: datetime
    user_version: int
    occasion_version: int | None
    jitter_seconds: int
    tz_database: str | None
    planned_at: datetime | None
    ripe_at: datetime
    traceparent: str | None


def dated(occasion_id: UUID, due: DueDate) -> dict[str, Any]:
    """Return the fields of a Pending that its date decides."""
    return {
        "event_id": due_event_id(occasion_id, due.nominal_date),
        "nominal_date": due.nominal_date,
        "local_date": due.local_date,
        "send_at_local": due.local_time,
        "due_at": due.due_at,
        "jitter_seconds": due.jitter_seconds,
        "tz_database": TZ_DATABASE_VERSION,
    }


async def lock_pending(
    connection: Connection, occasion_ids: Iterable[UUID], user_ids: Iterable[UUID]
) -> dict[UUID, asyncpg.Record]:
    """Lock the PENDING rows of occasions and users; return them as they are once locked, by occasion.

    A claim that holds a row is waited for; it leaves another PENDING row, which only a new statement sees.
    So the rows are the right ones when two statements in a row saw the same, and "none" is no exception.
    """
    arguments = list(occasion_ids), list(user_ids)
    before: set[UUID] | None = None
    while any(arguments):
        rows = await connection.fetch(SQL["lock_pending"], *arguments)
        seen = {row["event_id"] for row in rows}
        if seen == before:
            return {row["occasion_id"]: row for row in rows}
        before = seen
    return {}


async def write_pending(connection: Connection, rows: Sequence[Pending]) -> None:
    """Write the PENDING rows of these occasions, new or moved, in one statement."""
    if rows:
        await connection.execute(SQL["write_pending"], *map(list, zip(*map(astuple, rows), strict=True)))


async def cancel_pending(connection: Connection, reasons: Sequence[tuple[UUID, str]]) -> None:
    """Move the PENDING rows of these occasions to history as CANCELLED, each with its reason."""
    if reasons:
        await connection.execute(
            SQL["cancel_pending"],
            [occasion_id for occasion_id, _ in reasons],
            [reason for _, reason in reasons],
        )
