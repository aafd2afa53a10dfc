"""Forgetting: kept replies that have expired, and rate limits that nobody comes near."""

from datetime import timedelta

from runtime.statements import Statements
from runtime.stopping import Stop, pause

from user_api.context import Context
from user_api.kept_reply import KEPT_FOR

SQL = Statements("user_api")

EVERY_SECONDS = 60
BATCH = 1_000


async def forget_requests(context: Context, stop: Stop, *, unlimited_after: timedelta) -> None:
    """Forget what is old until `stop` is set; any number of processes may."""
    while not stop.is_set():
        await forget(context, stop, "forget_replies", KEPT_FOR)
        await forget(context, stop, "forget_rate_limits", unlimited_after)
        await pause(stop, EVERY_SECONDS)


async def forget(context: Context, stop: Stop, statement: str, age: timedelta) -> None:
    """Delete what is older than `age`, a batch a transaction; a batch that is not full is the last."""
    forgotten = BATCH
    while forgotten == BATCH and not stop.is_set():
        async with context.connection() as connection:
            forgotten = await connection.fetchval(SQL[statement], age, BATCH)
