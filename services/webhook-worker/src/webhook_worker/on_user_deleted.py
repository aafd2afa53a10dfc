"""Deleted users: what was to be delivered about them is cancelled, and what tells of them is erased."""

from collections.abc import Sequence
from datetime import timedelta

import structlog
from domain.events import UserDeleted
from messaging.consume import Received
from messaging.topology import Topology
from runtime.database import Pool
from runtime.statements import Statements
from runtime.stopping import Stop, pause

from webhook_worker.settle_waiting import settle

log = structlog.get_logger()

SQL = Statements("webhook_worker")

# A user may have had thousands of deliveries.
MOST_AT_ONCE = 20
# By then what was being accepted when its user was deleted is there, and what was under way is recorded.
ONCE_MORE_AFTER = timedelta(minutes=10)
TOMBSTONE_KEPT = timedelta(days=30)
MOST_FORGOTTEN = 1_000
ERASURES = ("erase_events", "erase_attempts", "erase_dead_letters")


async def on_user_deleted(pool: Pool, batch: Sequence[Received]) -> None:
    """Note which users were deleted: from now on nothing is accepted for them. The rest is `erase_deleted`'s.

    Raises TypeError for any other event, which leaves it to the queue's redrive.
    """
    await pool.execute(SQL["bury_users"], sorted({user_deleted(received).user_id for received in batch}))


def user_deleted(received: Received) -> UserDeleted:
    """Return the event as the one it must be. Raises TypeError."""
    if not isinstance(received.event, UserDeleted):
        raise TypeError(f"not a user's deletion: {type(received.event).__name__}")
    return received.event


async def erase_deleted(
    pool: Pool, topology: Topology, offset: timedelta, stop: Stop, *, every_seconds: float
) -> None:
    """Erase what is kept of deleted users, and forget them after 30 days, until `stop` is set."""
    while not stop.is_set():
        erased = await erase_some(pool, topology, offset)
        await pool.execute(SQL["forget_deleted"], TOMBSTONE_KEPT, MOST_FORGOTTEN)
        if erased < MOST_AT_ONCE:
            await pause(stop, every_seconds)


async def erase_some(pool: Pool, topology: Topology, offset: timedelta) -> int:
    """Cancel and erase for at most 20 users; return how many. Safe to repeat, and done twice for each.

    In two transactions, because either locks events in order of their ids.
    """
    async with pool.acquire() as connection:
        async with connection.transaction():
            rows = await connection.fetch(SQL["claim_deleted"], MOST_AT_ONCE)
            user_ids = [row["user_id"] for row in rows]
            cancelled = await settle(connection, topology, offset, "cancel_deleted", user_ids)
        if not user_ids:
            return 0
        async with connection.transaction():
            for erasure in ERASURES:
                await connection.execute(SQL[erasure], user_ids)
            await connection.execute(SQL["mark_erased"], user_ids, ONCE_MORE_AFTER)
    log.info("users.erased", users=len(user_ids), deliveries_cancelled=cancelled)
    return len(user_ids)
