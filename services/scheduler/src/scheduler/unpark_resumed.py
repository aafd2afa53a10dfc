"""Resuming: what a pause held back is let go, and is then sent or expires by its catch-up window."""

import structlog
from runtime.database import Pool
from runtime.statements import Statements
from runtime.stopping import Stop, pause

log = structlog.get_logger()

SQL = Statements("scheduler")
LOOK_EVERY_SECONDS = 1.0


async def unpark_resumed(pool: Pool, stop: Stop, *, batch: int) -> None:
    """Let go what was resumed until `stop` is set, looking once a second."""
    while not stop.is_set():
        if not await unpark_batch(pool, batch=batch):
            await pause(stop, LOOK_EVERY_SECONDS)


async def unpark_batch(pool: Pool, *, batch: int) -> bool:
    """Let go at most `batch` occurrences of one pause that ended; return False when there is none.

    Once nothing of it is left, the pause goes too. How late they are is judged at their resumption. What is
    paused otherwise as well, by itself or with its type, is parked again when it is claimed.
    """
    async with pool.acquire() as connection, connection.transaction():
        ended = await connection.fetchrow(SQL["lock_resumed"])
        if ended is None:
            return False
        if ended["occasion_type"] is None:
            await connection.execute(SQL["unpark_occasion"], ended["occasion_id"], ended["resumed_at"])
            unparked = 0
        else:
            unparked = len(
                await connection.fetch(SQL["unpark_type"], ended["occasion_type"], ended["resumed_at"], batch)
            )
        if unparked < batch:
            await connection.execute(SQL["end_pause"], ended["id"])
    log.info("due.unparked", occasion_type=ended["occasion_type"], occurrences=unparked)
    return True
