"""What every request needs."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from contextvars import ContextVar
from datetime import timedelta
from typing import Self

from litestar.types import Scope
from messaging.topology import Topology
from msgspec import Struct, field
from msgspec.structs import replace
from runtime.database import Connection, Pool
from runtime.encrypt import Keys

from user_api.business_clock import BusinessClock
from user_api.read_your_writes import may_read_late
from user_api.replica import Replica

# Longer than it takes to make a connection, far shorter than a client waits.
CONNECTION_SECONDS = 5

# The connection whose transaction this request's reply is to be kept in; see idempotency.py.
_held: ContextVar[Connection | None] = ContextVar("held", default=None)


@contextmanager
def hold(connection: Connection) -> Iterator[None]:
    """Make every use case of this request work on `connection`, within its transaction."""
    token = _held.set(connection)
    try:
        yield
    finally:
        _held.reset(token)


class Context(Struct, frozen=True, kw_only=True):
    """The pool, the topology, the business clock (the database's now() plus `clock_offset`), the keys."""

    pool: Pool
    topology: Topology
    clock_offset: timedelta
    keys: Keys
    clock: BusinessClock = field(default_factory=BusinessClock)
    replica: Replica | None = None
    reads_late: bool = False

    def for_reading(self, scope: Scope) -> Self:
        """Give the context of a request that changes nothing: its connections may be a replica's."""
        return self if self.replica is None else replace(self, reads_late=may_read_late(scope))

    def is_held(self) -> bool:
        """Tell whether this request is worked on within a transaction that its reply is to be kept in."""
        return _held.get() is not None

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """Borrow a connection; TimeoutError when none comes free within five seconds.

        A transaction begun on one that the request holds is a part of the request's transaction.
        """
        held = _held.get()
        if held is not None:
            return nullcontext(held)
        if self.replica is not None and self.reads_late:
            return self._near(self.replica)
        # A limit costs 5 µs, and where one is idle there is nothing to wait for.
        return self.pool.acquire(timeout=None if self.pool.get_idle_size() else CONNECTION_SECONDS)

    def apart(self) -> AbstractAsyncContextManager[Connection]:
        """Borrow a connection apart from what the request holds: others see what is written there."""
        return self.pool.acquire(timeout=CONNECTION_SECONDS)

    @asynccontextmanager
    async def _near(self, replica: Replica) -> AsyncIterator[Connection]:
        async with replica.connection() as near:
            if near is not None:
                yield near
                return
        async with self.pool.acquire(timeout=CONNECTION_SECONDS) as connection:
            yield connection
