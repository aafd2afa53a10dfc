import asyncio
from uuid import uuid4

import asyncpg
import pytest
from messaging.inbox import forget_old, take_new
from testkit.fresh_database import FreshDatabase
from testkit.wait import eventually

SCHEDULER = "carillon_scheduler"
ONE, TWO, THREE = (uuid4() for _ in range(3))


async def test_an_id_is_new_once_for_each_consumer(database: FreshDatabase) -> None:
    connection = await database.connect(SCHEDULER)

    assert await take_new(connection, "a", [ONE, TWO, ONE]) == {ONE, TWO}
    assert await take_new(connection, "a", [TWO, THREE]) == {THREE}
    assert await take_new(connection, "b", [TWO]) == {TWO}
    assert await take_new(connection, "a", []) == set()


async def test_a_rollback_forgets(database: FreshDatabase) -> None:
    connection = await database.connect(SCHEDULER)

    async def fail() -> None:
        async with connection.transaction():
            await take_new(connection, "a", [ONE])
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 (our own, two lines above)
        await fail()

    assert await take_new(connection, "a", [ONE]) == {ONE}


@pytest.mark.parametrize(("commits", "second_gets"), [(True, set()), (False, {ONE})])
async def test_of_two_that_take_one_id_the_second_waits_for_how_the_first_ends(
    database: FreshDatabase,
    commits: bool,  # noqa: FBT001 (a column of the table above)
    second_gets: set[object],
) -> None:
    first, second = await database.connect(SCHEDULER), await database.connect(SCHEDULER)
    transaction = first.transaction()
    await transaction.start()
    assert await take_new(first, "a", [ONE]) == {ONE}

    waiting = asyncio.create_task(take_new(second, "a", [ONE]))
    await eventually(lambda: is_waiting(database))
    assert not waiting.done()
    await (transaction.commit() if commits else transaction.rollback())

    assert await waiting == second_gets


async def is_waiting(database: FreshDatabase) -> bool:
    admin = await asyncpg.connect(database.admin_url)
    try:
        return bool(await admin.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))
    finally:
        await admin.close()


async def test_takers_of_the_same_ids_in_any_order_share_them_without_a_deadlock(
    database: FreshDatabase,
) -> None:
    first, second = await database.connect(SCHEDULER), await database.connect(SCHEDULER)
    ids = [uuid4() for _ in range(5_000)]

    taken, by_other = await asyncio.gather(take_new(first, "a", ids), take_new(second, "a", reversed(ids)))

    assert taken | by_other == set(ids)
    assert taken & by_other == set()


async def test_ids_are_kept_for_35_days(database: FreshDatabase) -> None:
    connection, admin = await database.connect(SCHEDULER), await database.connect()
    await take_new(connection, "a", [ONE, TWO])
    await admin.execute(
        "UPDATE inbox.messages SET handled_at = now() - interval '35 days 1 minute' WHERE message_id = $1",
        ONE,
    )
    await admin.execute(
        "UPDATE inbox.messages SET handled_at = now() - interval '34 days 23 hours' WHERE message_id = $1",
        TWO,
    )

    await forget_old(connection)

    assert await take_new(connection, "a", [ONE, TWO]) == {ONE}
