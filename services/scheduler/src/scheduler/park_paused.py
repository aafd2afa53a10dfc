"""Pauses: what is due of an occasion or a type that is paused is parked instead of emitted."""

from collections.abc import Sequence

import asyncpg
import structlog
from runtime.database import Connection
from runtime.statements import Statements

log = structlog.get_logger()

SQL = Statements("scheduler")


async def hold_pauses(connection: Connection) -> bool:
    """Tell whether anything is paused; nothing is paused or resumed until the transaction ends.

    It comes before the claim: locks go pauses, PENDING rows, as in planning.
    """
    return await connection.fetchval(SQL["hold_pauses"]) is not None


async def park_paused(connection: Connection, rows: Sequence[asyncpg.Record]) -> list[asyncpg.Record]:
    """Park what was just claimed and is paused, PENDING again; return the other rows.

    So a pause touches no row of what is not due, and whatever planning does beside it, nothing of it rings.
    """
    parked = await connection.fetch(
        SQL["park_paused"],
        [row["event_id"] for row in rows],
        [row["occasion_id"] for row in rows],
        list({row["occasion_type"] for row in rows}),
    )
    if parked:
        log.info("due.held_back", occurrences=len(parked))
    held_back = {row["event_id"] for row in parked}
    return [row for row in rows if row["event_id"] not in held_back]
