"""Maintenance: history's partitions, and what may be forgotten; neither is in a hurry."""

from datetime import timedelta

from runtime.database import Pool
from runtime.stopping import Stop, pause

from scheduler.forget_old import forget_old
from scheduler.keep_history import keep_history

EVERY_SECONDS = 3600


async def maintain(pool: Pool, stop: Stop, *, offset: timedelta, months_kept: int) -> None:
    """Look after the tables at once, and every hour until `stop` is set."""
    while not stop.is_set():
        await keep_history(pool, months_kept=months_kept)
        await forget_old(pool, stop, offset=offset)
        await pause(stop, EVERY_SECONDS)
