"""No silence: what was emitted and not answered in time is emitted again, under the same id."""

from datetime import timedelta

import structlog
from messaging.envelope import compose
from messaging.outbox import append
from messaging.topology import Topology
from runtime.database import Pool
from runtime.statements import Statements
from runtime.stopping import Stop, pause

from scheduler.due_event import SOURCE, due_event

log = structlog.get_logger()

SQL = Statements("scheduler")
LOOK_EVERY_SECONDS = 1.0


async def emit_again(
    pool: Pool, topology: Topology, stop: Stop, *, batch: int, check_after: timedelta
) -> None:
    """Emit unanswered occurrences again until `stop` is set, looking once a second."""
    while not stop.is_set():
        if not await emit_unanswered(pool, topology, batch=batch, check_after=check_after):
            await pause(stop, LOOK_EVERY_SECONDS)


async def emit_unanswered(pool: Pool, topology: Topology, *, batch: int, check_after: timedelta) -> int:
    """Append at most `batch` occurrences whose `check_at` has passed once more; return how many.

    The event is the one first emitted, its time and lateness too.
    """
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(SQL["claim_unanswered"], batch, check_after)
        again = [compose(topology, SOURCE, row["emitted_at"], [due_event(row)]) for row in rows]
        await append(connection, [message for messages in again for message in messages])
    if rows:
        log.warning("due.emitted_again", occurrences=len(rows))
    return len(rows)
