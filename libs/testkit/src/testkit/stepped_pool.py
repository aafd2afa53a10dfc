"""Stopping at every statement: what a use case sends is met one by one, whatever it sends.

A test that kills or interleaves at each of them covers a new statement without being told of it.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
from msgspec import Struct
from runtime.database import Connection, Pool, keep_session

CUT_WITHIN_MS = 10_000
CUT_OFF = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What a client may see of it, by how far the server's last words have come."""


class Step(Struct, frozen=True, kw_only=True):
    """A moment before or after a statement: its number among its pool's, from 0, and if it is answered."""

    number: int
    answered: bool
    statement: str


AtStep = Callable[[Step, asyncpg.Connection], Awaitable[None]]


def _in_steps(send: Any) -> Any:  # noqa: ANN401 (a method of asyncpg's, and one of the same signature)
    """Return a method that stops before and after what `send` sends."""

    async def step_by_step(self: "SteppedConnection", statement: str, *args: Any, **options: Any) -> Any:  # noqa: ANN401
        number = self.steps.count
        self.steps.count += 1
        await self.steps.at_step(Step(number=number, answered=False, statement=statement), self)
        result = await send(self, statement, *args, **options)
        await self.steps.at_step(Step(number=number, answered=True, statement=statement), self)
        return result

    return step_by_step


class Steps:
    """How many statements a pool has sent, and what is awaited before and after each."""

    def __init__(self, at_step: AtStep) -> None:
        self.count = 0
        self.at_step = at_step


class SteppedConnection(asyncpg.Connection):
    """A connection that stops before and after each statement it sends, BEGIN and COMMIT too."""

    steps: Steps

    execute = _in_steps(asyncpg.Connection.execute)
    executemany = _in_steps(asyncpg.Connection.executemany)
    fetch = _in_steps(asyncpg.Connection.fetch)
    fetchmany = _in_steps(asyncpg.Connection.fetchmany)
    fetchrow = _in_steps(asyncpg.Connection.fetchrow)
    fetchval = _in_steps(asyncpg.Connection.fetchval)


async def open_stepped_pool(url: str, at_step: AtStep) -> Pool:
    """Open a pool whose every statement waits for `at_step` before it is sent and once it is answered."""

    class OfThisPool(SteppedConnection):
        steps = Steps(at_step)

    return await asyncpg.create_pool(url, min_size=1, connection_class=OfThisPool, reset=keep_session)


async def cut(connection: asyncpg.Connection, admin: Connection) -> None:
    """Kill a connection's backend, and wait until it is gone and its locks with it.

    Raises TimeoutError if it does not go.
    """
    pid = connection.get_server_pid()
    if not await admin.fetchval("SELECT pg_terminate_backend($1, $2)", pid, CUT_WITHIN_MS):
        raise TimeoutError(f"backend {pid} is still there")
