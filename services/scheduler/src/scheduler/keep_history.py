"""History by month: partitions are made ahead, and dropped whole once retention is over."""

import asyncpg
import structlog
from runtime.database import Pool
from runtime.statements import Statements

log = structlog.get_logger()

SQL = Statements("scheduler")

# Three months in which nobody looks after it before a row lands in the default partition.
MONTHS_AHEAD = 3


async def keep_history(pool: Pool, *, months_kept: int) -> None:
    """Make the partitions of the months ahead, and drop those that ended more than `months_kept` months ago.

    The audit's are made too, and never dropped. Months are UTC's, by the database's clock. Of several
    schedulers at once one does it.
    """
    made = await partitions(pool, "extend_history", MONTHS_AHEAD)
    made += await partitions(pool, "extend_entries", MONTHS_AHEAD)
    dropped = await partitions(pool, "drop_history", months_kept)
    if made or dropped:
        log.info("history.kept", made=made, dropped=dropped)


async def partitions(pool: Pool, statement: str, months: int) -> list[str]:
    """Return the names of the partitions that a statement made or dropped, in a transaction of its own.

    None while somebody holds history, a backup for one: whoever finishes occurrences would queue behind us.
    """
    try:
        return [row["partition"] for row in await pool.fetch(SQL[statement], months)]
    except asyncpg.LockNotAvailableError:
        log.warning("history.held_elsewhere", statement=statement)
        return []
