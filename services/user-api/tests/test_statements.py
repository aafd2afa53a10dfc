import asyncpg
import pytest
from messaging.outbox import SQL as OUTBOX
from runtime.statements import Statements
from testkit.fresh_database import FreshDatabase

SQL = Statements("user_api")


@pytest.mark.parametrize("name", sorted(SQL))
async def test_a_statement_is_understood_under_the_services_own_role(
    database: FreshDatabase, name: str
) -> None:
    connection = await database.connect("carillon_user_api")
    prepared = await connection.prepare(SQL[name])

    # PREPARE itself checks no rights; to explain is to be let in.
    nulls = ", ".join(["NULL"] * len(prepared.get_parameters()))
    await connection.execute(f"PREPARE statement AS {SQL[name]}")
    await connection.execute(f"EXPLAIN EXECUTE statement {f'({nulls})' if nulls else ''}")


async def test_the_service_can_append(database: FreshDatabase) -> None:
    connection = await database.connect("carillon_user_api")

    await connection.execute(OUTBOX["append"], [], [], [], [], [], [])


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT FROM outbox.messages",
        "DELETE FROM outbox.messages",
        "INSERT INTO outbox.messages (event_id) VALUES (NULL)",
        "SELECT FROM outbox.rejected",
        "SELECT FROM schedule.users",
        "SELECT FROM schedule.occurrences",
        "SELECT FROM delivery.deliveries",
        "TRUNCATE users.users",
        "CREATE TABLE users.mine ()",
        "CREATE TABLE public.mine ()",
    ],
)
async def test_the_service_can_do_no_more_than_it_does(database: FreshDatabase, statement: str) -> None:
    connection = await database.connect("carillon_user_api")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)
