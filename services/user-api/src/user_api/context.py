"""What every request about users needs."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from datetime import timedelta

from messaging.topology import Topology
from msgspec import Struct
from runtime.database import Connection, Pool

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
    """The pool, the topology, and the business clock: the database's now() plus `clock_offset`."""

    pool: Pool
    topology: Topology
    clock_offset: timedelta

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """Borrow a connection; TimeoutError when none comes free within five seconds.

        A transaction begun on one that the request holds is a part of the request's transaction.
        """
        held = _held.get()
        return self.pool.acquire(timeout=CONNECTION_SECONDS) if held is None else nullcontext(held)
