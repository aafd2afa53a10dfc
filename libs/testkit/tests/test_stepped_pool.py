import inspect

import asyncpg
import pytest
from runtime.database import is_passing
from testkit.fresh_database import FreshDatabase
from testkit.stepped_pool import CUT_OFF, Step, SteppedConnection, cut, open_stepped_pool


async def test_every_statement_is_met_before_it_is_sent_and_once_it_is_answered(
    database: FreshDatabase,
) -> None:
    met: list[tuple[int, bool, str]] = []

    async def meet(step: Step, _: asyncpg.Connection) -> None:
        met.append((step.number, step.answered, step.statement.split()[0]))

    pool = await open_stepped_pool(database.admin_url, meet)
    async with pool.acquire() as connection, connection.transaction():
        assert await connection.fetchval("SELECT 1") == 1
        await connection.execute("CREATE TABLE met ()")
    await pool.close()

    words = ["BEGIN;", "SELECT", "CREATE", "COMMIT;"]
    assert met == [(number, sent, word) for number, word in enumerate(words) for sent in (False, True)]


def test_no_way_to_send_a_statement_goes_round_the_steps() -> None:
    sending = {
        name
        for name, method in inspect.getmembers(asyncpg.Connection, inspect.iscoroutinefunction)
        if not name.startswith("_") and {"query", "command"} & inspect.signature(method).parameters.keys()
    }
    # Nothing here prepares statements of its own or copies; who does, adds its steps.
    assert sending - {"prepare", "copy_from_query"} <= vars(SteppedConnection).keys()


@pytest.mark.parametrize("answered", [False, True])
async def test_a_backend_cut_before_the_commit_leaves_nothing_and_the_next_connection_is_new(
    database: FreshDatabase, *, answered: bool
) -> None:
    admin = await database.connect()
    await admin.execute("CREATE TABLE kept (number integer)")

    async def crash(step: Step, connection: asyncpg.Connection) -> None:
        if step.statement.startswith("INSERT") and step.answered is answered:
            await cut(connection, admin)

    pool = await open_stepped_pool(database.admin_url, crash)
    with pytest.raises(CUT_OFF) as caught:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("INSERT INTO kept VALUES (1)")

    assert is_passing(caught.value)
    assert await pool.fetchval("SELECT count(*) FROM kept") == 0
    await pool.close()
