"""Cancelling: the open deliveries of removed endpoints are settled, and their events' outcomes told."""

from collections import Counter
from datetime import timedelta

import structlog
from messaging.topology import Topology
from runtime.database import Pool
from runtime.statements import Statements
from runtime.stopping import Stop, pause

from webhook_worker.tell_outcomes import tell_outcomes

log = structlog.get_logger()

SQL = Statements("webhook_worker")

MOST_AT_ONCE = 500


async def cancel_removed(
    pool: Pool, topology: Topology, offset: timedelta, stop: Stop, *, every_seconds: float
) -> None:
    """Cancel what endpoints left behind when they were removed, until `stop` is set."""
    while not stop.is_set():
        if await cancel_deliveries(pool, topology, offset) < MOST_AT_ONCE:
            await pause(stop, every_seconds)


async def cancel_deliveries(pool: Pool, topology: Topology, offset: timedelta) -> int:
    """Cancel at most 500 open deliveries of removed endpoints in one transaction; return how many."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(SQL["cancel_deliveries"], MOST_AT_ONCE)
        await tell_outcomes(connection, topology, offset, Counter(row["event_id"] for row in rows))
    if rows:
        log.info("deliveries.cancelled", deliveries=len(rows))
    return len(rows)
