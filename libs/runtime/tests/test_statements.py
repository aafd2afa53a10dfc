"""Every statement of every package is prepared and planned, under its own role, on the migrated schema."""

from collections.abc import Awaitable, Callable
from importlib.resources import files
from importlib.util import find_spec

import pytest
from runtime.database import Connection
from runtime.statements import Statements

Connect = Callable[[str], Awaitable[Connection]]

API = "carillon_user_api"
SCHEDULER = "carillon_scheduler"
DISPATCHER = "carillon_dispatcher"
WORKER = "carillon_webhook_worker"
ADMIN = "postgres"
ROLES = {
    "runtime": [ADMIN],
    "messaging": [API, SCHEDULER, WORKER],
    "dispatcher": [DISPATCHER],
    "scheduler": [SCHEDULER],
    "webhook_worker": [WORKER],
    "user_api": [API],
}
EVERY_SERVICE = {"ping", "newest_applied_migration"}
# DDL cannot be prepared; every migration runs the one, and the tests of the inbox the other.
NOT_PREPARED = {"create_migrations_table", "create_inbox"}


def cases() -> list[tuple[str, str, str]]:
    return [
        (package, name, role)
        for package, roles in ROLES.items()
        if find_spec(package) and files(package).joinpath("sql").is_dir()
        for name in Statements(package)
        if name not in NOT_PREPARED
        for role in ([API, SCHEDULER, DISPATCHER, WORKER] if name in EVERY_SERVICE else roles)
    ]


@pytest.mark.parametrize(("package", "name", "role"), cases())
async def test_a_statement_fits_the_schema_and_its_roles_rights(
    connect_as: Connect, package: str, name: str, role: str
) -> None:
    connection = await connect_as(role)

    await connection.execute(f"PREPARE probe AS {Statements(package)[name]}")
    count = await connection.fetchval(
        "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'probe'"
    )
    arguments = f"({', '.join(['NULL'] * count)})" if count else ""

    # Planning checks no rights; the executor's start, which EXPLAIN goes as far as, does.
    assert await connection.fetch(f"EXPLAIN EXECUTE probe{arguments}")


def test_a_statement_is_found_by_its_files_name() -> None:
    statements = Statements("runtime")

    assert statements["ping"].strip() == "SELECT 1;"
    assert len(statements) == len(list(statements))
    with pytest.raises(KeyError):
        statements["pong"]
