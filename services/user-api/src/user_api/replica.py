"""The read replica: used by a connection only while it is known to be less far behind than a client may see.

How far behind a replica is, is told by the primary's clock as the replica shows it: users.replica_heartbeat.
That holds for streaming replicas, for Aurora's readers, and for several of them behind one address, since
each connection is asked for itself.
"""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import structlog
from runtime.database import Connection, Pool, close, make_pool
from runtime.statements import Statements
from runtime.stopping import Stop, beside, describe, pause

from user_api.settings import Settings

log = structlog.get_logger()

SQL = Statements("user_api")

BEAT_SECONDS = 1.0
# How long a connection, once seen to be near enough, is not asked again.
TRUSTED_SECONDS = 1.0
# Between the beat that is due and the one that a replica shows: the beat's own age, and a slow round trip.
MARGIN = timedelta(seconds=2)
# A replica that is away costs a request no more than this, and none for as long as it is left alone.
CONNECT_SECONDS = 0.5
LEFT_ALONE_SECONDS = 1.0


AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
# asyncpg's types know a pool's proxy, and not the class of connection behind it.
Lent = Any


class ReplicaConnection(asyncpg.Connection):
    """A connection that remembers until when (loop time) its replica is near enough."""

    trusted_until = 0.0

    def trust_until(self, instant: float) -> None:
        """Remember; a pool's proxy passes calls on, not assignments."""
        self.trusted_until = instant


class Replica:
    """A pool of connections to one or several replicas, whose reads are at most `behind` late."""

    def __init__(self, pool: Pool, primary: Pool, *, behind: timedelta) -> None:
        self._pool = pool
        self._primary = primary
        self._behind = behind
        self._beat = (datetime.min.replace(tzinfo=UTC), 0.0)
        self._left_alone_until = math.inf  # until the first beat

    async def keep_beating(self, stop: Stop) -> None:
        """Write the primary's clock every second, for replicas to show; raises what the primary raises."""
        while not stop.is_set():
            now = await self._primary.fetchval(SQL["beat"])
            self._beat = (now, asyncio.get_running_loop().time())
            if self._left_alone_until == math.inf:
                self._left_alone_until = 0.0
            await pause(stop, BEAT_SECONDS)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection | None]:
        """Lend a connection that is near enough; None while there is none."""
        connection = await self._acquire()
        try:
            yield connection if connection is not None and await self._is_near(connection) else None
        finally:
            if connection is not None:
                await self._pool.release(connection)

    async def _acquire(self) -> Lent | None:
        loop = asyncio.get_running_loop()
        if loop.time() < self._left_alone_until:
            return None
        try:
            return await self._pool.acquire(timeout=CONNECT_SECONDS)
        except AWAY as error:
            self._leave_alone("replica.away", describe(error))
            return None

    async def _is_near(self, connection: Lent) -> bool:
        asked_at = asyncio.get_running_loop().time()
        if connection.trusted_until > asked_at:
            return True
        try:
            shown: datetime = await connection.fetchval(SQL["read_heartbeat"], timeout=CONNECT_SECONDS)
        except AWAY as error:
            self._leave_alone("replica.away", describe(error))
            return False
        beat, seen_at = self._beat
        behind = beat + timedelta(seconds=asked_at - seen_at) - shown
        if behind > self._behind - MARGIN:
            self._leave_alone("replica.behind", f"{behind.total_seconds():.1f} s")
            return False
        connection.trust_until(asked_at + TRUSTED_SECONDS)
        return True

    def _leave_alone(self, event: str, reason: str) -> None:
        self._left_alone_until = asyncio.get_running_loop().time() + LEFT_ALONE_SECONDS
        log.warning(event, reason=reason)


@asynccontextmanager
async def open_replica(settings: Settings, primary: Pool, stop: Stop) -> AsyncIterator[Replica | None]:
    """Open the replica that DATABASE_REPLICA_URL names, if it names one; it need not be there."""
    if settings.database_replica_url is None:
        yield None
        return
    pool = make_pool(
        "user-api",
        settings.database_replica_url,
        settings,
        min_size=0,
        plan_anew=False,
        connection_class=ReplicaConnection,
    )
    await pool
    replica = Replica(pool, primary, behind=timedelta(seconds=settings.replica_lag_seconds))
    try:
        async with beside("keep_beating", replica.keep_beating, stop):
            yield replica
    finally:
        await close(pool)
