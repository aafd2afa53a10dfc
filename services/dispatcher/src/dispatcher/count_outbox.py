"""Counting what waits in the outbox, every few seconds: a relay that is stuck is seen by its age."""

from domain.priority import Priority
from runtime import metric_names
from runtime.database import Pool
from runtime.metrics import gauge
from runtime.statements import Statements
from runtime.stopping import Stop, pause

SQL = Statements("dispatcher")

EVERY_SECONDS = 5.0
# More is a number that nobody reads, and takes long to find out.
MOST = 10_000
PRIORITIES = list(Priority)
_MESSAGES = gauge(metric_names.OUTBOX_MESSAGES)
_AGE = gauge(metric_names.OUTBOX_AGE)
_REJECTED = gauge(metric_names.OUTBOX_REJECTED)


async def count_outbox(pool: Pool, stop: Stop) -> None:
    """Count until `stop` is set."""
    while not stop.is_set():
        await count_once(pool)
        await pause(stop, EVERY_SECONDS)


async def count_once(pool: Pool) -> None:
    """Set the gauges to what is there now."""
    for row in await pool.fetch(SQL["count_outbox"], MOST):
        _MESSAGES.labels(PRIORITIES[row["priority"]].value).set(row["messages"])
    _AGE.set(await pool.fetchval(SQL["oldest_age"]))
    _REJECTED.set(await pool.fetchval(SQL["count_rejected"], MOST))
