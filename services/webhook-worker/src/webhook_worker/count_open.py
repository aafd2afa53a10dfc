"""Counting what is open, every few seconds: deliveries that are not settled, dead letters."""

from collections.abc import Collection

from runtime import metric_names
from runtime.database import Pool
from runtime.metrics import gauge
from runtime.statements import Statements
from runtime.stopping import Stop, pause

SQL = Statements("webhook_worker")

EVERY_SECONDS = 10.0
# More is a number that nobody reads, and takes long to find out.
MOST = 10_000
_DELIVERIES = gauge(metric_names.OPEN_DELIVERIES)
_DEAD_LETTERS = gauge(metric_names.DEAD_LETTERS)


async def count_open(pool: Pool, queues: Collection[str], stop: Stop) -> None:
    """Count until `stop` is set; dead letters by the queue that they were meant for."""
    while not stop.is_set():
        await count_once(pool, queues)
        await pause(stop, EVERY_SECONDS)


async def count_once(pool: Pool, queues: Collection[str]) -> None:
    """Set the gauges to what is there now."""
    _DELIVERIES.set(await pool.fetchval(SQL["count_open"], MOST))
    found = {row["queue"]: row["dead_letters"] for row in await pool.fetch(SQL["count_dead_letters"])}
    for queue in {*queues, *found}:
        _DEAD_LETTERS.labels(queue).set(found.get(queue, 0))
