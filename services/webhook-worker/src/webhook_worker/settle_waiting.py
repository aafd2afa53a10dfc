"""Settling what waits in vain: deliveries that nobody will attempt end, and what ended with them is told."""

from collections import Counter
from datetime import timedelta

import structlog
from domain.patience import MISSED_AFTER
from messaging.topology import Topology
from runtime.database import Connection, Pool
from runtime.statements import Statements
from runtime.stopping import Stop, pause

from webhook_worker.endpoint import DEFAULT_ENDPOINT_ID
from webhook_worker.endpoints import Endpoints
from webhook_worker.tell_outcomes import tell_outcomes

log = structlog.get_logger()

SQL = Statements("webhook_worker")

MOST_AT_ONCE = 500


async def settle_waiting(
    pool: Pool,
    topology: Topology,
    endpoints: Endpoints,
    stop: Stop,
    *,
    offset: timedelta,
    every_seconds: float,
) -> None:
    """Cancel what removed endpoints left behind, and miss what is overdue, until `stop` is set."""
    while not stop.is_set():
        cancelled = await cancel_removed(pool, topology, offset)
        missed = await miss_overdue(pool, topology, endpoints, offset)
        if max(cancelled, missed) < MOST_AT_ONCE:
            await pause(stop, every_seconds)


async def cancel_removed(pool: Pool, topology: Topology, offset: timedelta) -> int:
    """Cancel at most 500 open deliveries of removed endpoints in one transaction; return how many."""
    async with pool.acquire() as connection, connection.transaction():
        settled = await settle(connection, topology, offset, "cancel_removed", MOST_AT_ONCE)
    if settled:
        log.info("deliveries.cancelled", deliveries=settled)
    return settled


async def miss_overdue(pool: Pool, topology: Topology, endpoints: Endpoints, offset: timedelta) -> int:
    """Give up waiting for endpoints that took nothing for 76 hours; return how many deliveries are missed.

    They count as failed in the outcome, and can be replayed. At most 500 in one transaction.
    """
    unknown = [] if endpoints.default_id() else [DEFAULT_ENDPOINT_ID]
    async with pool.acquire() as connection, connection.transaction():
        settled = await settle(
            connection, topology, offset, "miss_overdue", MOST_AT_ONCE, MISSED_AFTER, unknown
        )
    if settled:
        log.warning("deliveries.missed", deliveries=settled)
    return settled


async def settle(
    connection: Connection, topology: Topology, offset: timedelta, statement: str, *arguments: object
) -> int:
    """Settle the deliveries that a statement finds, tell what ended with them, and return how many."""
    rows = await connection.fetch(SQL[statement], *arguments)
    await tell_outcomes(connection, topology, offset, Counter(row["event_id"] for row in rows))
    return len(rows)
