"""Counting what is open, every few seconds, so that what is stuck or parked is seen."""

from runtime import metric_names
from runtime.database import Pool
from runtime.metrics import gauge
from runtime.statements import Statements
from runtime.stopping import Stop, pause

SQL = Statements("scheduler")

EVERY_SECONDS = 10.0
# More is a number that nobody reads, and takes long to find out.
MOST = 10_000
_OPEN = gauge(metric_names.OPEN_OCCURRENCES)


async def count_open(pool: Pool, stop: Stop) -> None:
    """Count until `stop` is set."""
    while not stop.is_set():
        await count_once(pool)
        await pause(stop, EVERY_SECONDS)


async def count_once(pool: Pool) -> None:
    """Set the gauge of each state to what is there now, at most 10,000."""
    [row] = await pool.fetch(SQL["count_open"], MOST)
    for state, occurrences in row.items():
        _OPEN.labels(state).set(occurrences)
