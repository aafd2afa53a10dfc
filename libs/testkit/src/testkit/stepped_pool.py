"""Stopping at every statement: what a use case sends is met one by one, whatever it sends.

A test that kills or interleaves at each of them covers a new statement without being told of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import asyncpg
from msgspec import Struct
from runtime.database import Connection, Pool, is_passing, keep_session

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

    copy_records_to_table = _in_steps(asyncpg.Connection.copy_records_to_table)
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


Work = Callable[[Pool], Coroutine[Any, Any, object]]

WAITING = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def statements_of(work: Work, url: str) -> int:
    """Do the work; return how many statements that took."""
    sent: set[int] = set()

    async def count(step: Step, _: asyncpg.Connection) -> None:
        sent.add(step.number)

    pool = await open_stepped_pool(url, count)
    await work(pool)
    await pool.close()
    return len(sent)


async def until_done_or_waiting(admin: Connection, tasks: list[asyncio.Task[object]]) -> None:
    """Wait until each has done its work or waits for a lock."""
    async with asyncio.timeout(10):
        while await admin.fetchval(WAITING) + sum(task.done() for task in tasks) < len(tasks):
            await asyncio.wait(tasks, timeout=0.001)


async def crash_after(
    number: int, *, work: Work, url: str, admin: Connection, others: Sequence[tuple[Work, Pool]] = ()
) -> None:
    """Kill a backend after so many statements of the work, while others are at theirs.

    AssertionError if whoever does the work is not cut off by it, with an error that passes.
    """
    tasks: list[asyncio.Task[object]] = []
    is_over = False

    async def crash(step: Step, connection: asyncpg.Connection) -> None:
        nonlocal is_over
        if step.number + step.answered == number and not is_over:
            is_over = True
            tasks.extend(asyncio.create_task(other(pool)) for other, pool in others)
            if tasks:
                await until_done_or_waiting(admin, tasks)
            await cut(connection, admin)
            if step.answered:  # and nobody hears it
                raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    pool = await open_stepped_pool(url, crash)
    try:
        await work(pool)
    except CUT_OFF as error:
        if not is_passing(error):
            raise
    else:
        raise AssertionError(f"nobody died after {number} statements")
    await asyncio.gather(*tasks)
    pool.terminate()


async def meet_after(number: int, *, one: Work, other: Work, url: str, pool: Pool, admin: Connection) -> None:
    """Have one stand still after so many statements until the other is done, or waits for it."""
    tasks: list[asyncio.Task[object]] = []

    async def stand_still(step: Step, _: asyncpg.Connection) -> None:
        if step.number + step.answered == number and not tasks:
            tasks.append(asyncio.create_task(other(pool)))
            await until_done_or_waiting(admin, tasks)

    standing = await open_stepped_pool(url, stand_still)
    await one(standing)
    await asyncio.gather(*tasks)
    await standing.close()
