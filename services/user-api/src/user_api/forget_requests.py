"""Forgetting: kept replies that have expired, and rate limits that nobody comes near."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from runtime.statements import Statements
from runtime.stopping import Stop, keep_running, pause

from user_api.context import Context
from user_api.kept_reply import KEPT_FOR

SQL = Statements("user_api")

EVERY_SECONDS = 60
BATCH = 1_000


@asynccontextmanager
async def forgetting(context: Context, stop: Stop, *, unlimited_after: timedelta) -> AsyncIterator[None]:
    """Forget what is old for as long as the context is open; any number of processes may."""

    async def forget_requests(stop: Stop) -> None:
        while not stop.is_set():
            await forget(context, stop, "forget_replies", KEPT_FOR)
            await forget(context, stop, "forget_rate_limits", unlimited_after)
            await pause(stop, EVERY_SECONDS)

    running = asyncio.create_task(keep_running("forget_requests", forget_requests, stop))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait((running,))


async def forget(context: Context, stop: Stop, statement: str, age: timedelta) -> None:
    """Delete what is older than `age`, a batch a transaction; a batch that is not full is the last."""
    forgotten = BATCH
    while forgotten == BATCH and not stop.is_set():
        async with context.connection() as connection:
            forgotten = await connection.fetchval(SQL[statement], age, BATCH)
