"""A whole Carillon to ring: the four services as processes, its database in reach, its webhooks to a sink."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
from carillon_local.options import read_options
from carillon_local.programs import MODULES
from carillon_local.system import LocalSystem
from msgspec import Struct
from runtime.database import Connection

from bench.scratch import SQL
from bench.sink_process import Sink
from bench.zones import ZONES

AHEAD = timedelta(seconds=2)  # time to write the rows before the first falls due
ALL_WITHIN = 120.0
LOOK_EVERY_SECONDS = 0.2  # it is a query, which must not slow what it watches


class Rung(Struct, frozen=True, kw_only=True):
    """What came of a number of occurrences: when the last had arrived and was over; how late each arrived.

    `lags_ms` from when it was due, `worker_ms` from when the worker had received it.
    """

    arrived_per_second: float
    settled_per_second: float
    lags_ms: list[float]
    worker_ms: list[float]


class Belfry(Struct, frozen=True, kw_only=True):
    """A running Carillon, its database and where its webhooks go."""

    connection: Connection
    sink: Sink

    async def ring(self, count: int, *, step: timedelta) -> Rung:
        """Let `count` occurrences fall due, one a `step`; return when all of them have been settled."""
        self.sink.forget()
        first_due = datetime.now(UTC) + AHEAD
        await self.connection.execute(SQL["seed_occurrences"], count, first_due, step, ZONES)
        assert datetime.now(UTC) < first_due, "the rows took too long to write"
        await asyncio.sleep((AHEAD + step * count).total_seconds())
        async with asyncio.timeout(ALL_WITHIN):
            settled_at = await self._settled_at(count, first_due)
        receipts = self.sink.receipts()
        assert len(receipts) == count, f"{len(receipts)} of {count} arrived"
        rows = await self.connection.fetch(SQL["due_times"], first_due)
        due_at = {row["event_id"]: row["due_at"] for row in rows}
        received = await self.connection.fetch(SQL["received_times"], first_due)
        received_at = {row["event_id"]: row["received_at"] for row in received}
        return Rung(
            arrived_per_second=count / (receipts[-1][1] - first_due.timestamp()),
            settled_per_second=count / (settled_at - first_due.timestamp()),
            lags_ms=[(at - due_at[webhook_id]) * 1000 for webhook_id, at in receipts],
            worker_ms=[(at - received_at[webhook_id]) * 1000 for webhook_id, at in receipts],
        )

    async def _settled_at(self, count: int, first_due: datetime) -> float:
        while True:
            settled, last_at = await self.connection.fetchrow(SQL["count_settled"], first_due) or (0, 0.0)
            if settled == count:
                return float(last_at)
            await asyncio.sleep(LOOK_EVERY_SECONDS)


@asynccontextmanager
async def running_carillon(sink: Sink, settings: Mapping[str, str] | None = None) -> AsyncIterator[Belfry]:
    """Run PostgreSQL, an engine and the four services as `make up` does, with webhooks to the sink.

    Each service gets `settings` besides those that it needs.
    """
    with tempfile.TemporaryDirectory(prefix="carillon-bench-") as folder:
        options = read_options({"LOCAL_DIR": str(Path(folder) / "local"), "WEBHOOK_URL": sink.url})
        async with LocalSystem(
            options, fresh=True, restarts=False, environments=dict.fromkeys(MODULES, settings or {})
        ) as system:
            connection = await asyncpg.connect(system.database_url())
            try:
                yield Belfry(connection=connection, sink=sink)
            finally:
                await connection.close()
