"""Forgetting: what is kept only to know late events by, once no queue can bring them any more."""

from collections import Counter
from datetime import timedelta

import structlog
from messaging.inbox import KEEP_FOR
from runtime.database import Pool
from runtime.statements import Statements
from runtime.stopping import Stop

log = structlog.get_logger()

SQL = Statements("scheduler")

BATCH = 1_000
BY_AGE = ("forget_deleted_users", "forget_removed_occasions", "forget_ended_notifications")


async def forget_old(pool: Pool, stop: Stop, *, offset: timedelta) -> None:
    """Forget deleted users, removed occasions and notifications that rang, 35 days after that.

    By the business clock: the database's now() plus `offset`. With an unknown user's last occasion goes
    their place. A batch a transaction; any number of schedulers may.
    """
    forgotten: Counter[str] = Counter()
    for statement in BY_AGE:
        forgotten[statement] = await forget(pool, stop, statement, KEEP_FOR - offset)
    forgotten["forget_unknown_users"] = await forget(pool, stop, "forget_unknown_users")
    if forgotten.total():
        log.info("old.forgotten", **forgotten)


async def forget(pool: Pool, stop: Stop, statement: str, *age: timedelta) -> int:
    """Delete what a statement finds, and return how much; a batch that is not full is the last."""
    forgotten = 0
    while not stop.is_set():
        batch: int = await pool.fetchval(SQL[statement], *age, BATCH)
        forgotten += batch
        if batch < BATCH:
            break
    return forgotten
