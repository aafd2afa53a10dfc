"""Replaying: what an endpoint has missed is opened again, so many a second: news is not held up by it."""

from datetime import timedelta

import structlog
from runtime.database import Pool
from runtime.statements import Statements
from runtime.stopping import Stop, pause

log = structlog.get_logger()

SQL = Statements("webhook_worker")

LOOK_EVERY_SECONDS = 0.5
A_SECOND = timedelta(seconds=1)


async def replay_settled(pool: Pool, stop: Stop, *, per_second: int) -> None:
    """Work on the replays that were asked for until `stop` is set; each opens `per_second` deliveries."""
    while not stop.is_set():
        if not await replay_some(pool, per_second):
            await pause(stop, LOOK_EVERY_SECONDS)


async def replay_some(pool: Pool, most: int) -> bool:
    """Open the next `most` deliveries of a replay whose turn it is, in one transaction; tell if one was.

    None is opened twice by the same replay, whoever dies meanwhile: how far it has come commits with it.
    """
    async with pool.acquire() as connection, connection.transaction():
        replay = await connection.fetchrow(SQL["claim_replay"])
        if replay is None:
            return False
        rows = await connection.fetch(
            SQL["find_replayable"],
            replay["endpoint_id"],
            replay["position"],
            replay["since"],
            replay["until"],
            replay["statuses"],
            most,
        )
        ids = [row["id"] for row in rows]
        reopened = await connection.fetchval(SQL["reopen_deliveries"], ids)
        is_last = len(ids) < most
        await connection.execute(
            SQL["advance_replay"], replay["id"], reopened, ids[-1] if ids else None, is_last, A_SECOND
        )
    log.info("replay.advanced", replay_id=str(replay["id"]), deliveries=reopened, finished=is_last)
    return True
