import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest
import pytest_asyncio
from domain.events import Event, UserCreated
from domain.occasion import DEFAULT_SEND_AT_LOCAL, LeapDayPolicy
from messaging.topology import load_topology
from testkit.fresh_database import FreshDatabase
from testkit.repository import find_topology
from testkit.wait import eventually
from user_api.business_clock import BusinessClock
from user_api.context import Context
from user_api.create_user import create_user, insert_user
from user_api.refusals import InvalidInputError
from user_api.user import Details

Emitted = Callable[[], Awaitable[list[Event]]]
Stored = Callable[[], Awaitable[tuple[int, int]]]


def details(born: date = date(1990, 12, 10)) -> Details:
    return Details(
        first_name="Ada",
        last_name="Lovelace",
        date_of_birth=born,
        timezone="Etc/UTC",
        email=None,
        send_at_local=DEFAULT_SEND_AT_LOCAL,
        leap_day_policy=LeapDayPolicy.FEB_28,
    )


@pytest_asyncio.fixture
async def context(database: FreshDatabase, pytestconfig: pytest.Config) -> AsyncIterator[Context]:
    topology = load_topology(find_topology(pytestconfig.rootpath))
    async with asyncpg.create_pool(database.url("carillon_user_api"), min_size=1, max_size=1) as pool:
        yield Context(pool=pool, topology=topology, clock_offset=timedelta(days=1))


async def statements(context: Context, details: Details) -> list[str]:
    """Create a user; return the statements that it took."""
    asked: list[str] = []

    def note(query: asyncpg.connection.LoggedQuery) -> None:
        asked.append(query.query)

    async with context.connection() as connection:
        connection.add_query_logger(note)
        await insert_user(context, connection, details)
        connection.remove_query_logger(note)
    return asked


async def one_statement(context: Context) -> None:
    """Wait for a user that takes one: on a machine that stalls, an estimate may be late."""

    async def is_one() -> bool:
        return len(await statements(context, details())) == 1

    await eventually(is_one)


def wrong(by: timedelta) -> BusinessClock:
    clock, now = BusinessClock(), time.monotonic()
    clock.learn(datetime.now(UTC) + timedelta(days=1) + by, asked=now, answered=now)
    return clock


async def test_once_the_clock_is_known_a_user_is_one_statement(context: Context, stored: Stored) -> None:
    assert len(await statements(context, details())) > 1
    await one_statement(context)

    users, messages = await stored()
    assert users == messages >= 2


@pytest.mark.parametrize("by", [timedelta(seconds=-2), timedelta(seconds=2), timedelta(days=-40)])
async def test_a_wrong_estimate_of_the_clock_is_never_stored(
    context: Context, database: FreshDatabase, emitted: Emitted, by: timedelta
) -> None:
    context = Context(
        pool=context.pool, topology=context.topology, clock_offset=context.clock_offset, clock=wrong(by)
    )
    admin = await database.connect()
    before = await admin.fetchval("SELECT clock_timestamp()")
    # Born after the day that a clock 40 days behind shows: the database's is asked before it is refused.
    user = await create_user(context, details(born=before.date() - timedelta(days=10)))
    after = await admin.fetchval("SELECT clock_timestamp()")

    assert before <= user.created_at - timedelta(days=1) <= after
    assert [tuple(row) for row in await admin.fetch("SELECT created_at, updated_at FROM users.users")] == [
        (user.created_at, user.created_at)
    ]
    (event,) = await emitted()
    assert isinstance(event, UserCreated)
    assert event.occurred_at == user.created_at
    await one_statement(context)


async def test_what_the_caller_rolls_back_takes_the_user_and_the_event(
    context: Context, stored: Stored
) -> None:
    await create_user(context, details())  # and the clock is known
    async with context.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await insert_user(context, connection, details())
        with pytest.raises(InvalidInputError):
            await insert_user(context, connection, details(born=date(9999, 1, 1)))
        await transaction.rollback()

    assert await stored() == (1, 1)


def test_an_answer_that_agrees_with_the_estimate_leaves_it_and_another_corrects_it() -> None:
    clock, noon = BusinessClock(), datetime(2026, 3, 1, 12, tzinfo=UTC)
    start = time.monotonic()

    def reads(expected: datetime) -> bool:
        now = clock.now()
        assert now is not None
        return abs(now - timedelta(seconds=time.monotonic() - start) - expected) < timedelta(seconds=1)

    assert clock.now() is None
    clock.learn(noon, asked=start, answered=start)
    assert reads(noon)
    clock.learn(noon + timedelta(seconds=5), asked=start, answered=start + 10)
    assert reads(noon)
    clock.learn(noon + timedelta(seconds=15), asked=start, answered=start + 10)
    assert reads(noon + timedelta(seconds=5))
    clock.learn(noon - timedelta(seconds=3), asked=start, answered=start + 10)
    assert reads(noon - timedelta(seconds=3))
