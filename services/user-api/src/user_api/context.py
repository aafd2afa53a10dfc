"""What every request about users needs."""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta

from messaging.topology import Topology
from msgspec import Struct, field
from runtime.database import Connection, Pool

from user_api.business_clock import BusinessClock

# Longer than it takes to make a connection, far shorter than a client waits.
CONNECTION_SECONDS = 5


class Context(Struct, frozen=True, kw_only=True):
    """The pool, the topology, and the business clock: the database's now() plus `clock_offset`."""

    pool: Pool
    topology: Topology
    clock_offset: timedelta
    clock: BusinessClock = field(default_factory=BusinessClock)

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """Borrow a connection; TimeoutError when none comes free within five seconds."""
        return self.pool.acquire(timeout=CONNECTION_SECONDS)
