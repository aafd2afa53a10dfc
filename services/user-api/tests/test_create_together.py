import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest
import pytest_asyncio
from domain.events import Event, UserCreated
from domain.occasion import DEFAULT_SEND_AT_LOCAL, LeapDayPolicy
from messaging.topology import load_topology
from msgspec.structs import replace
from runtime.database import Connection, keep_session
from runtime.encrypt import new_key, read_keys
from testkit.fresh_database import FreshDatabase
from testkit.repository import find_topology
from testkit.wait import eventually
from user_api.business_clock import BusinessClock
from user_api.context import Context, hold
from user_api.create_user import user_creator
from user_api.refusals import EmailTakenError, InvalidInputError
from user_api.user import Details, User

Emitted = Callable[[], Awaitable[list[Event]]]
Stored = Callable[[], Awaitable[tuple[int, int]]]


def details(born: date = date(1990, 12, 10), email: str | None = None) -> Details:
    return Details(
        first_name="Ada",
        last_name="Lovelace",
        date_of_birth=born,
        timezone="Etc/UTC",
        email=email,
        send_at_local=DEFAULT_SEND_AT_LOCAL,
        leap_day_policy=LeapDayPolicy.FEB_28,
    )


@pytest.fixture
def asked() -> list[str]:
    """Collect every statement that the pool sends."""
    return []


@pytest_asyncio.fixture
async def context(
    database: FreshDatabase, pytestconfig: pytest.Config, asked: list[str]
) -> AsyncIterator[Context]:
    async def listen(connection: Connection) -> None:
        connection.add_query_logger(lambda logged: asked.append(logged.query))

    topology = load_topology(find_topology(pytestconfig.rootpath))
    url = database.url("carillon_user_api")
    # Without its reset, which no service's pool sends either.
    async with asyncpg.create_pool(url, min_size=1, max_size=1, init=listen, reset=keep_session) as pool:
        yield Context(
            pool=pool, topology=topology, clock_offset=timedelta(days=1), keys=read_keys(new_key("test"))
        )


async def one_statement(context: Context, asked: list[str], *, users: int) -> None:
    """Wait for users that take one: on a machine that stalls, an estimate may be late."""
    create_user = user_creator(context)

    async def is_one() -> bool:
        asked.clear()
        await asyncio.gather(*(create_user(details()) for _ in range(users)))
        return len(asked) == 1

    await eventually(is_one)


def wrong(by: timedelta) -> BusinessClock:
    clock, now = BusinessClock(), time.monotonic()
    clock.learn(datetime.now(UTC) + timedelta(days=1) + by, asked=now, answered=now)
    return clock


async def test_once_the_clock_is_known_users_that_come_at_once_are_one_statement(
    context: Context, stored: Stored, asked: list[str]
) -> None:
    await user_creator(context)(details())
    assert len(asked) > 1
    await one_statement(context, asked, users=1)
    await one_statement(context, asked, users=20)

    users, messages = await stored()
    assert users == messages >= 22


async def test_of_those_that_come_at_once_only_one_gets_an_address(
    context: Context, database: FreshDatabase, emitted: Emitted
) -> None:
    create_user = user_creator(context)
    await create_user(details(email="taken@example.com"))
    addresses = ["TAKEN@example.com", "new@example.com", None, "New@example.com", None]

    made = await asyncio.gather(
        *(create_user(details(email=email)) for email in addresses), return_exceptions=True
    )

    assert [type(one) for one in made] == [EmailTakenError, User, User, EmailTakenError, User]
    admin = await database.connect()
    stored = {row["id"] for row in await admin.fetch("SELECT id FROM users.users")}
    told = {event.user_id for event in await emitted() if isinstance(event, UserCreated)}
    assert len(stored) == 4
    assert told == stored > {one.id for one in made if isinstance(one, User)}


async def test_one_that_cannot_be_stored_takes_no_other_with_it(context: Context, stored: Stored) -> None:
    create_user = user_creator(context)
    await create_user(details())
    unstorable = replace(details(), first_name="A\0")

    made = await asyncio.gather(
        *(create_user(one) for one in (details(), unstorable, details())), return_exceptions=True
    )

    assert isinstance(made[1], asyncpg.DataError)
    assert [type(one) for one in made[::2]] == [User, User]
    assert await stored() == (3, 3)


@pytest.mark.parametrize("by", [timedelta(seconds=-2), timedelta(seconds=2), timedelta(days=-40)])
async def test_a_wrong_estimate_of_the_clock_is_never_stored(
    context: Context, database: FreshDatabase, emitted: Emitted, asked: list[str], by: timedelta
) -> None:
    context = Context(
        pool=context.pool,
        topology=context.topology,
        clock_offset=context.clock_offset,
        clock=wrong(by),
        keys=context.keys,
    )
    admin = await database.connect()
    before = await admin.fetchval("SELECT clock_timestamp()")
    # Born after the day that a clock 40 days behind shows: the database's is asked before it is refused.
    user = await user_creator(context)(details(born=before.date() - timedelta(days=10)))
    after = await admin.fetchval("SELECT clock_timestamp()")

    assert before <= user.created_at - timedelta(days=1) <= after
    assert [tuple(row) for row in await admin.fetch("SELECT created_at, updated_at FROM users.users")] == [
        (user.created_at, user.created_at)
    ]
    (event,) = await emitted()
    assert isinstance(event, UserCreated)
    assert event.occurred_at == user.created_at
    await one_statement(context, asked, users=2)


async def test_what_the_caller_rolls_back_takes_the_user_and_the_event(
    context: Context, stored: Stored
) -> None:
    create_user = user_creator(context)
    await create_user(details())  # and the clock is known
    async with context.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        with hold(connection):
            await create_user(details())
            with pytest.raises(InvalidInputError):
                await create_user(details(born=date(9999, 1, 1)))
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
