"""The PENDING row of an occasion: the one date planned next, with all that a claim reads."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

import asyncpg
from domain.due_dates import DueDate, planned
from domain.ids import due_event_id
from domain.occasion import LeapDayPolicy, Yearly
from msgspec import Struct
from msgspec.structs import replace
from runtime.database import Connection
from runtime.statements import Statements

SQL = Statements("scheduler")


class Pending(Struct, frozen=True, kw_only=True):
    """One planned occurrence, in the order of columns of `write_pending.sql`. Instants are UTC."""

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
    first_name: str
    last_name: str
    due_at: datetime
    user_version: int


def birthday_of(row: asyncpg.Record) -> Yearly:
    """Return the birthday that an occurrence's row is a date of."""
    return Yearly(
        date=row["anchor_date"],
        send_at_local=row["send_at_local"],
        timezone=row["timezone"],
        leap_day_policy=LeapDayPolicy(row["leap_day_policy"]),
    )


def following(row: asyncpg.Record) -> Pending | None:
    """Return the date after the one that `row` was claimed for; None when the calendar ends."""
    due = planned(birthday_of(row), first_date=row["nominal_date"], after_date=row["nominal_date"])
    if due is None:
        return None
    claimed = Pending(**{name: row[name] for name in Pending.__struct_fields__})
    return replace(claimed, **dated(row["occasion_id"], due), after_date=row["nominal_date"])


def dated(occasion_id: UUID, due: DueDate) -> dict[str, Any]:
    """Return the fields of a Pending that its date decides."""
    return {
        "event_id": due_event_id(occasion_id, due.nominal_date),
        "nominal_date": due.nominal_date,
        "local_date": due.local_date,
        "due_at": due.due_at,
    }


async def write_pending(connection: Connection, rows: Sequence[Pending]) -> None:
    """Write the PENDING rows of these occasions, new or moved, in one statement."""
    if rows:
        columns = zip(
            *(tuple(getattr(row, name) for name in Pending.__struct_fields__) for row in rows), strict=True
        )
        await connection.execute(SQL["write_pending"], *map(list, columns))
