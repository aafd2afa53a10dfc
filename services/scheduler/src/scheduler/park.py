"""Parking: an occurrence that cannot be emitted or followed waits, with the reason, and holds up nobody."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import structlog
from runtime.database import Connection
from runtime.statements import Statements
from runtime.stopping import describe

log = structlog.get_logger()

SQL = Statements("scheduler")


def faulty(row: asyncpg.Record, error: Exception) -> tuple[UUID, str]:
    """Log what an occurrence's row cannot do; return its event id and the reason."""
    log.error(
        "due.parked",
        event_id=str(row["event_id"]),
        occasion_id=str(row["occasion_id"]),
        user_id=str(row["user_id"]),
        reason=describe(error),
        exc_info=error,
    )
    return row["event_id"], describe(error)


async def park(connection: Connection, faults: Sequence[tuple[UUID, str]]) -> None:
    """Give claimed occurrences, named by their event ids, back as PENDING, each parked with its reason.

    The next change of their occasion or user plans them anew, and so does a new tz database.
    """
    if faults:
        await connection.execute(
            SQL["park"], [event_id for event_id, _ in faults], [reason for _, reason in faults]
        )
