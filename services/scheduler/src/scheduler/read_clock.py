"""A round's beginning: what time it is, what waits, and whether nobody looked for a while."""

from datetime import datetime, timedelta

import structlog
from msgspec import Struct
from msgspec.structs import replace
from runtime.database import Pool
from runtime.metric_names import OVERDUE
from runtime.metrics import gauge
from runtime.statements import Statements

log = structlog.get_logger()

SQL = Statements("scheduler")

_OVERDUE = gauge(OVERDUE)

LATE_AFTER = timedelta(minutes=1)
"""What has waited longer is backlog, and is caught up with apart from what is due now."""

SEEN_EVERY = timedelta(seconds=1)
# A restart takes less. A longer silence is one in which things may have been missed.
AWAY_AFTER = timedelta(seconds=10)


class Moment(Struct, frozen=True, kw_only=True):
    """What a round begins with, by the business clock; the due instants are the first of what waits.

    `oldest_due_at` is the first of all, `next_due_at` the first that is no backlog.
    """

    now: datetime
    returned_at: datetime
    last_seen_at: datetime | None
    oldest_due_at: datetime | None
    next_due_at: datetime | None


async def read_clock(pool: Pool, *, offset: timedelta) -> Moment:
    """Read the business clock, the database's now() plus `offset`, and leave a sign of life once a second.

    The first look after a silence of all schedulers is their return: lateness is judged by that moment.
    """
    [row] = await pool.fetch(SQL["read_clock"], offset, LATE_AFTER)
    moment = Moment(**row)
    oldest = moment.oldest_due_at
    _OVERDUE.set(max(0.0, (moment.now - oldest).total_seconds()) if oldest else 0.0)
    if moment.last_seen_at is not None and moment.now - moment.last_seen_at < SEEN_EVERY:
        return moment
    returned_at = await pool.fetchval(SQL["leave_sign_of_life"], moment.now, AWAY_AFTER)
    if returned_at == moment.now:
        log.warning("scheduler.returned", last_seen_at=moment.last_seen_at, returned_at=returned_at)
    return replace(moment, returned_at=returned_at)
