"""Open occurrences to claim from: so many fall due each day, for as many days as there are passes to make."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
from msgspec import Struct
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.fresh_database import FreshDatabase

from bench.emitters import Emitted, emit_all
from bench.scratch import SQL, TEMPLATE
from bench.zones import ZONES

SPREAD = timedelta(seconds=10)  # within which a day's fall due: when the clock starts, none is older
DAY = timedelta(days=1)
FILLING = {"maintenance_work_mem": "512MB", "work_mem": "256MB"}


class OpenRows(Struct, kw_only=True):
    """A database whose open occurrences fall due `due` a day; it knows the next day that is whole."""

    database: FreshDatabase
    due: int
    day: datetime

    async def emit(self, *, schedulers: int = 1) -> Emitted:
        """Let so many schedulers emit the next day's, all of them due at the start; forget them afterwards.

        Those of the year to come take their place, so as many are open as before.
        """
        clock = self.day + SPREAD
        self.day += DAY
        admin = await self.database.connect()
        await admin.execute(SQL["checkpoint"])
        emitted = await emit_all(self.database, self.due, schedulers=schedulers, clock=clock)
        await admin.execute(SQL["forget_claimed"])
        await admin.execute(SQL["empty_outbox"])
        await admin.execute(SQL["vacuum_occurrences"])
        return emitted


@asynccontextmanager
async def open_rows(
    server: EmbeddedPostgres, name: str, *, due: int, days: int, history: int = 0, strewn: bool = False
) -> AsyncIterator[OpenRows]:
    """Give a database with so many days of `due` open occurrences each, and so many that are over.

    Those of a day lie together, as last year's claims left them, or `strewn`, as users were planned.
    """
    first_day = datetime.now(UTC) + DAY
    async with FreshDatabase(server, name, template=TEMPLATE) as database:
        admin = await asyncpg.connect(database.admin_url, server_settings=FILLING)
        try:
            await admin.execute(SQL["drop_indexes"])
            await admin.execute(SQL["seed_days"], due * days, first_day, due, SPREAD / due, ZONES, strewn)
            await admin.execute(SQL["restore_indexes"])
            await admin.execute(SQL["vacuum_occurrences"])
            await admin.execute(SQL["seed_history"], history, first_day)
        finally:
            await admin.close()
        yield OpenRows(database=database, due=due, day=first_day)
