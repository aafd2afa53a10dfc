"""Emitting: claim what is due, append it to the outbox and plan the next date, all in one transaction."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

import structlog
from domain.catch_up import NEVER
from messaging.envelope import compose
from messaging.outbox import append
from messaging.topology import Topology
from runtime.active_tracing import traced
from runtime.database import Pool
from runtime.statements import Statements
from runtime.stopping import Stop, pause

from scheduler.batch_size import LEAST, next_batch_size
from scheduler.due_event import SOURCE, due_types
from scheduler.expire import expire
from scheduler.measure import measure_claim
from scheduler.park import park
from scheduler.park_paused import hold_pauses, park_paused
from scheduler.plan_following import plan_following
from scheduler.read_clock import LATE_AFTER, Moment, read_clock
from scheduler.scheduled_event import told_of_next_dates
from scheduler.sort_claimed import sort_claimed

log = structlog.get_logger()

SQL = Statements("scheduler")

LONGEST_SLEEP = timedelta(seconds=1)
HELD_ELSEWHERE_SECONDS = 0.02

Look = Callable[[], Awaitable[Moment]]
Emit = Callable[[Moment, int], Awaitable[int]]

DueWithin = tuple[datetime | None, datetime]
"""Due after the first, or since ever, and by the second."""


async def emit_due(
    pool: Pool,
    topology: Topology,
    stop: Stop,
    *,
    offset: timedelta,
    batch: int,
    check_after: timedelta,
    claimers: int = 1,
) -> None:
    """Emit what falls due until `stop` is set; sleep to the next due instant, at most 1 s.

    The business clock is the database's now() plus `offset`, read once a batch. What has waited for over a
    minute when it wakes is left to `catch_up`; what falls due at once it emits to the end, however long that
    takes. More than a small batch is shared by `claimers`: in a single one Python and PostgreSQL take turns,
    at half the speed.
    """
    look = partial(read_clock, pool, offset=offset)

    async def emit(since: datetime, moment: Moment, size: int) -> int:
        return await emit_batch(
            pool,
            topology,
            now=moment.now,
            batch=size,
            check_after=check_after,
            returned_at=moment.returned_at,
            due_within=(since, moment.now),
        )

    first = min(LEAST, batch)
    while not stop.is_set():
        moment = await look()
        if moment.next_due_at is None or moment.next_due_at > moment.now:
            until_due = moment.next_due_at - moment.now if moment.next_due_at else LONGEST_SLEEP
            await pause(stop, min(until_due, LONGEST_SLEEP).total_seconds())
            continue
        emit_since = partial(emit, moment.now - LATE_AFTER)
        claimed = await emit_since(moment, first)
        if claimed == first:
            await side_by_side(
                *(emit_full_batches(look, emit_since, stop, most=batch) for _ in range(claimers))
            )
        elif not claimed:
            # Another scheduler holds it: asking without a pause was 2,000 statements a second.
            await pause(stop, HELD_ELSEWHERE_SECONDS)


async def emit_full_batches(look: Look, emit: Emit, stop: Stop, *, most: int) -> None:
    """Emit batch after batch while each is full, of the size that suits how long they take."""
    size = min(LEAST, most)
    while not stop.is_set():
        moment = await look()
        started = time.monotonic()
        if await emit(moment, size) < size:
            return
        size = next_batch_size(size, seconds=time.monotonic() - started, most=most)


async def side_by_side(*claimers: Awaitable[None]) -> None:
    """Run claimers until all have ended; raise an error of theirs only then, so that none is left behind."""
    for ended in await asyncio.gather(*claimers, return_exceptions=True):
        if ended is not None:
            raise ended


@traced("emit due")
async def emit_batch(
    pool: Pool,
    topology: Topology,
    *,
    now: datetime,
    batch: int,
    check_after: timedelta,
    returned_at: datetime = NEVER,
    due_within: DueWithin | None = None,
) -> int:
    """Claim at most `batch` occurrences due at `now`, append their events and write the dates that follow.

    The most urgent come first, then the oldest; `due_within` narrows it. What is paused is parked; what is
    missed, judged as of `returned_at`, expires; a row that cannot be emitted or followed is parked. Returns
    how many were claimed. Nothing is half-claimed: all of it commits, or none.
    """
    started = time.monotonic()
    due_after, due_by = due_within or (None, now)
    async with pool.acquire() as connection, connection.transaction():
        any_paused = await hold_pauses(connection)
        rows = await connection.fetch(SQL["claim_due"], now, batch, check_after, due_after, due_by)
        ringing = await park_paused(connection, rows) if any_paused else rows
        claimed = sort_claimed(ringing, due_types(topology), now=now, returned_at=returned_at)
        await plan_following(connection, claimed.next_dates)
        await expire(connection, claimed.missed)
        await park(connection, claimed.faults)
        news = told_of_next_dates(topology, claimed.next_dates, now=now)
        await append(connection, compose(topology, SOURCE, now, [*claimed.outgoing, *news]))
    if rows:
        measure_claim(claimed, held_back=len(rows) - len(ringing), seconds=time.monotonic() - started)
    if ringing:
        latest = max(now - row["due_at"] for row in ringing)
        log.info(
            "due.emitted",
            occurrences=len(claimed.outgoing) - len(claimed.missed),
            expired=len(claimed.missed),
            parked=len(claimed.faults),
            worst_lag_seconds=round(latest.total_seconds(), 3),
        )
    return len(rows)
