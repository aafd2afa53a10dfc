"""Maintenance: the months of deliveries, old secrets, and what nobody asks about any more."""

from datetime import timedelta

from runtime.database import Pool
from runtime.statements import Statements
from runtime.stopping import Stop, pause

from webhook_worker.keep_deliveries import keep_deliveries

SQL = Statements("webhook_worker")

EVERY_SECONDS = 3600
KEPT = {
    "forget_replays": timedelta(days=30),
    "forget_dead_letters": timedelta(days=90),
    "forget_endpoint_tests": timedelta(hours=1),
}


async def maintain(pool: Pool, stop: Stop, *, months_kept: int) -> None:
    """Look after the tables at once, and every hour until `stop` is set; none of it is in a hurry."""
    while not stop.is_set():
        await keep_deliveries(pool, months_kept=months_kept)
        await forget(pool)
        await pause(stop, EVERY_SECONDS)


async def forget(pool: Pool) -> None:
    """Erase secrets whose overlap has ended, and delete what has ended long ago."""
    await pool.execute(SQL["erase_old_secrets"])
    for statement, age in KEPT.items():
        await pool.execute(SQL[statement], age)
