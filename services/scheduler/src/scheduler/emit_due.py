"""Emitting: claim what is due, append it to the outbox and plan the next date, all in one transaction."""

from datetime import datetime, timedelta

import structlog
from messaging.envelope import compose
from messaging.outbox import append
from messaging.topology import Topology
from runtime.database import Pool
from runtime.statements import Statements
from runtime.stopping import Stop, pause

from scheduler.due_event import SOURCE, due_event, due_types
from scheduler.park_paused import hold_pauses, park_paused
from scheduler.plan_following import plan_following

log = structlog.get_logger()

SQL = Statements("scheduler")

LONGEST_SLEEP = timedelta(seconds=1)
HELD_ELSEWHERE_SECONDS = 0.02


async def emit_due(
    pool: Pool, topology: Topology, stop: Stop, *, offset: timedelta, batch: int, check_after: timedelta
) -> None:
    """Emit what falls due until `stop` is set; sleep to the next due instant, at most 1 s.

    The business clock is the database's now() plus `offset`, read once a round.
    """
    while not stop.is_set():
        [(now, next_due_at)] = await pool.fetch(SQL["read_clock"], offset)
        if next_due_at is not None and next_due_at <= now:
            # Another scheduler holds it: asking without a pause was 2,000 statements a second.
            if not await emit_batch(pool, topology, now=now, batch=batch, check_after=check_after):
                await pause(stop, HELD_ELSEWHERE_SECONDS)
        else:
            sleep = min(next_due_at - now, LONGEST_SLEEP) if next_due_at else LONGEST_SLEEP
            await pause(stop, sleep.total_seconds())


async def emit_batch(
    pool: Pool, topology: Topology, *, now: datetime, batch: int, check_after: timedelta
) -> int:
    """Claim at most `batch` occurrences due at `now`, append their events and write the dates that follow.

    Returns how many were claimed, those parked too. Nothing is half-claimed: all of it commits, or none.
    """
    async with pool.acquire() as connection, connection.transaction():
        any_paused = await hold_pauses(connection)
        claimed = await connection.fetch(SQL["claim_due"], now, batch, check_after)
        rows = await park_paused(connection, claimed) if any_paused else claimed
        await plan_following(connection, rows, due_types(topology))
        await append(connection, compose(topology, SOURCE, now, map(due_event, rows)))
    if rows:
        latest = max(row["emitted_at"] - row["due_at"] for row in rows)
        log.info("due.emitted", occurrences=len(rows), worst_lag_seconds=round(latest.total_seconds(), 3))
    return len(claimed)
