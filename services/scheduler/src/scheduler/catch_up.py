"""Catching up: what waits since the system was down is emitted beside what is due now, at a limited rate."""

import time
from datetime import timedelta

from messaging.topology import Topology
from runtime.database import Pool
from runtime.stopping import Stop, pause

from scheduler.batch_size import LEAST, next_batch_size
from scheduler.emit_due import HELD_ELSEWHERE_SECONDS, emit_batch
from scheduler.read_clock import LATE_AFTER, read_clock

LOOK_EVERY_SECONDS = 1.0


async def catch_up(
    pool: Pool,
    topology: Topology,
    stop: Stop,
    *,
    offset: timedelta,
    batch: int,
    check_after: timedelta,
    per_second: int,
) -> None:
    """Emit the backlog until `stop` is set: what has waited for over a minute, looking for it once a second.

    At most `per_second` occurrences a second (0: as fast as it goes), in batches of a second's worth or less.
    """
    most = min(batch, per_second or batch)
    size = min(LEAST, most)
    while not stop.is_set():
        moment = await read_clock(pool, offset=offset)
        if moment.oldest_due_at is None or moment.oldest_due_at > moment.now - LATE_AFTER:
            await pause(stop, LOOK_EVERY_SECONDS)
            continue
        started = time.monotonic()
        claimed = await emit_batch(
            pool,
            topology,
            now=moment.now,
            batch=size,
            check_after=check_after,
            returned_at=moment.returned_at,
            due_within=(None, moment.now - LATE_AFTER),
        )
        seconds = time.monotonic() - started
        if claimed == size:
            size = next_batch_size(size, seconds=seconds, most=most)
        if not claimed:
            await pause(stop, HELD_ELSEWHERE_SECONDS)
        elif per_second:
            await pause(stop, claimed / per_second - seconds)
