"""Deliveries by month: partitions are made ahead, and dropped whole once nobody replays them any more."""

import asyncpg
import structlog
from runtime.database import Pool
from runtime.statements import Statements

log = structlog.get_logger()

SQL = Statements("webhook_worker")

# Three months in which nobody looks after it before a row lands in a default partition.
MONTHS_AHEAD = 3
MOST_EVENTS = 1000


async def keep_deliveries(pool: Pool, *, months_kept: int) -> None:
    """Make the months ahead; drop what ended more than `months_kept` months ago, events one by one.

    Months are UTC's, by the database's clock. Of several workers at once one makes and drops.
    """
    made = await partitions(pool, "extend_partitions", MONTHS_AHEAD)
    dropped = await partitions(pool, "drop_partitions", months_kept)
    forgotten = some = await forget_events(pool, months_kept)
    while some == MOST_EVENTS:
        some = await forget_events(pool, months_kept)
        forgotten += some
    if made or dropped or forgotten:
        log.info("deliveries.kept", made=made, dropped=dropped, events_forgotten=forgotten)


async def forget_events(pool: Pool, months_kept: int) -> int:
    """Delete some events of dropped months; return how many."""
    return int(await pool.fetchval(SQL["forget_events"], months_kept, MOST_EVENTS))


async def partitions(pool: Pool, statement: str, months: int) -> list[str]:
    """Return the names of the partitions that a statement made or dropped, in a transaction of its own.

    None while somebody holds a table, a backup for one: whoever writes deliveries would queue behind us.
    """
    try:
        return [row["partition"] for row in await pool.fetch(SQL[statement], months)]
    except asyncpg.LockNotAvailableError:
        log.warning("deliveries.held_elsewhere", statement=statement)
        return []
