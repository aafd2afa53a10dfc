"""An inbox in a consumer's own PostgreSQL: what its loop writes there is committed with the event's id."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
from runtime.database import Connection, Pool, close
from runtime.waiting import wait_for

from messaging.inbox import SQL, forget_old, take_new

FORGET_EVERY_SECONDS = 86_400


class DatabaseInbox:
    """Knows what a consumer, called by one name in all its processes, has done in the last 35 days.

    It serves one loop: `connection` is that of the event in hand, within the transaction that takes its id.
    """

    def __init__(self, pool: Pool, consumer: str) -> None:
        self._pool = pool
        self._consumer = consumer
        self._connection: Connection | None = None
        self._forget_at = 0.0

    @property
    def connection(self) -> Connection:
        """The connection whose transaction is committed when the loop comes back, and else rolled back."""
        if self._connection is None:
            raise LookupError("there is a connection only while an event is in hand")
        return self._connection

    @asynccontextmanager
    async def once(self, event_id: UUID) -> AsyncIterator[bool]:
        """Tell whether an event is new, in a transaction that is committed when the context ends well.

        Where another process has it in hand, wait for how that ends.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            if time.monotonic() >= self._forget_at:
                await forget_old(connection)
                self._forget_at = time.monotonic() + FORGET_EVERY_SECONDS
            is_new = bool(await take_new(connection, self._consumer, [event_id]))
            self._connection = connection
            try:
                yield is_new
            finally:
                self._connection = None


@asynccontextmanager
async def open_inbox(database_url: str, consumer: str, *, within: float = 60) -> AsyncIterator[DatabaseInbox]:
    """Open the inbox of `consumer` in a database, and make its table, `inbox.messages`, if there is none.

    Raises StartFailedError if the database does not come `within` so many seconds.
    """

    async def connect() -> Pool:
        pool = asyncpg.create_pool(database_url, min_size=1, max_size=1, timeout=5, command_timeout=60)
        try:
            await pool
            await pool.execute(SQL["create_inbox"])
        except BaseException:
            pool.terminate()
            raise
        return pool

    pool = await wait_for("the inbox's database", connect, asyncio.Event(), within=within)
    try:
        yield DatabaseInbox(pool, consumer)
    finally:
        await close(pool)
