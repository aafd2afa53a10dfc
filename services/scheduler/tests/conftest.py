"""The scheduler's use cases over a pool of its own role, and its tables as the superuser sees them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from asyncpg.connection import LoggedQuery
from domain.catch_up import NEVER
from domain.events import Event
from messaging.consume import Received
from messaging.topology import Topology
from runtime.database import Connection, Pool
from runtime.statements import Statements
from scheduler.emit_due import emit_batch
from scheduler.on_outcome import on_outcomes
from scheduler.on_user_event import on_user_events
from testkit.fresh_database import FreshDatabase
from uuid_utils.compat import uuid7

OpenPool = Callable[[], Awaitable[Pool]]
Plan = Callable[..., Coroutine[Any, Any, None]]
Emit = Callable[..., Awaitable[int]]
Hear = Callable[..., Awaitable[None]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]

SQL = Statements("scheduler")


@pytest.fixture
def statements() -> list[str]:
    """Collect every statement that the pools send."""
    return []


@pytest.fixture
def claimed_on() -> list[int]:
    """Collect, claim by claim, the connection it was made on."""
    return []


@pytest_asyncio.fixture
async def open_pool(
    database: FreshDatabase, statements: list[str], claimed_on: list[int]
) -> AsyncIterator[OpenPool]:
    """Open pools, one a scheduler."""
    opened: list[Pool] = []

    async def listen(connection: Connection) -> None:
        def heard(logged: LoggedQuery) -> None:
            statements.append(logged.query)
            if logged.query == SQL["claim_due"]:
                claimed_on.append(id(connection))

        connection.add_query_logger(heard)

    async def open_one() -> Pool:
        opened.append(await asyncpg.create_pool(database.url("carillon_scheduler"), min_size=1, init=listen))
        return opened[-1]

    yield open_one
    for pool in opened:
        pool.terminate()


@pytest_asyncio.fixture
async def pool(open_pool: OpenPool) -> Pool:
    return await open_pool()


@pytest.fixture
def plan(pool: Pool, topology: Topology, admin: Connection) -> Plan:
    """Hand over one batch of users' and occasions' events, at an instant by the business clock."""

    async def hand_over(*events: Event, at: datetime | None = None) -> None:
        batch = [Received(event_id=uuid7(), event=event, receipt="") for event in events]
        offset = at - await admin.fetchval("SELECT now()") if at else timedelta(0)
        await on_user_events(pool, topology, batch, offset=offset)

    return hand_over


@pytest.fixture
def emit(pool: Pool, topology: Topology) -> Emit:
    """Emit one batch of what is due at an instant."""

    async def emit_at(
        now: datetime, *, batch: int = 500, own_pool: Pool | None = None, returned_at: datetime = NEVER
    ) -> int:
        return await emit_batch(
            own_pool or pool,
            topology,
            now=now,
            batch=batch,
            check_after=timedelta(minutes=15),
            returned_at=returned_at,
        )

    return emit_at


@pytest.fixture
def hear(pool: Pool) -> Hear:
    """Hand over one batch of outcomes."""

    async def hand_over(*answers: Event) -> None:
        await on_outcomes(pool, [Received(event_id=uuid7(), event=answer, receipt="") for answer in answers])

    return hand_over


@pytest.fixture
def pending(admin: Connection) -> Rows:
    """Read the PENDING rows, by due time."""
    return lambda: admin.fetch("SELECT * FROM schedule.occurrences WHERE status = 'PENDING' ORDER BY due_at")


@pytest.fixture
def processing(admin: Connection) -> Rows:
    """Read the PROCESSING rows, by due time."""
    return lambda: admin.fetch(
        "SELECT * FROM schedule.occurrences WHERE status = 'PROCESSING' ORDER BY due_at"
    )


@pytest.fixture
def history(admin: Connection) -> Rows:
    """Read what is over, by due time."""
    return lambda: admin.fetch("SELECT * FROM schedule.history ORDER BY due_at")


@pytest.fixture
def outbox(admin: Connection) -> Rows:
    """Read the outbox, in order, but for the news of what is planned."""
    return lambda: admin.fetch(
        "SELECT * FROM outbox.messages WHERE event_type <> 'OccurrenceScheduled' ORDER BY id"
    )
