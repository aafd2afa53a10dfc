"""`import_users`: POST /user/import without its HTTP, beside bare COPY of the users and of their messages."""

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from messaging.topology import load_topology
from msgspec import Struct
from runtime.database import Connection, Pool
from runtime.encrypt import new_key, read_keys
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.fresh_database import FreshDatabase
from user_api.context import Context
from user_api.import_batch import COLUMNS
from user_api.import_users import BATCH_LINES, import_users
from user_api.split_lines import split_lines

from bench.figures import Report, alternate
from bench.import_cost import COPY, COPY_BOTH, Cost, cpu, speed
from bench.import_lines import chunks, received
from bench.import_memory import memory_of
from bench.scratch import SQL, TEMPLATE, TOPOLOGY_FILE, open_pool, scratch_postgres

MESSAGE_COLUMNS = ("event_id", "event_type", "priority", "group_id", "attributes", "body")

Work = Callable[[Pool], Awaitable[None]]


class Imported(Struct, frozen=True, kw_only=True):
    """The rows that an import left, ready to be copied."""

    users: list[tuple[Any, ...]]
    messages: list[tuple[Any, ...]]


async def run(*, quick: bool) -> Report:
    """Measure over 50,000 users a round (10,000 when quick), and memory over 200,000 (50,000)."""
    users, rounds, longer = (10_000, 1, 50_000) if quick else (50_000, 3, 200_000)
    body = list(chunks(users))
    costs: dict[str, list[Cost]] = {"carillon": [], COPY: [], COPY_BOTH: []}
    async with scratch_postgres() as server:
        ready = await imported(server, body)
        over = partial(pass_over, server, users)
        rates = await alternate(
            rounds,
            {
                "carillon": lambda: over(
                    "carillon_user_api", partial(import_body, body), costs["carillon"], messages=True
                ),
                COPY: lambda: over("carillon_user_api", partial(copy_users, ready), costs[COPY]),
                COPY_BOTH: lambda: over(
                    "postgres", partial(copy_both, ready), costs[COPY_BOTH], messages=True
                ),
            },
        )
        async with (
            FreshDatabase(server, "longer", template=TEMPLATE) as database,
            open_pool(database.url("carillon_user_api")) as pool,
        ):
            memory = await memory_of(context(pool), longer)
    return Report(
        figures=[*speed(rates, costs, users), *memory],
        sizes={"users": users, "batch": BATCH_LINES, "rounds": rounds, "usersForMemory": longer},
    )


def context(pool: Pool) -> Context:
    """Give what the service would."""
    keys = read_keys(new_key("bench"))
    return Context(pool=pool, topology=load_topology(TOPOLOGY_FILE), clock_offset=timedelta(), keys=keys)


async def imported(server: EmbeddedPostgres, body: Sequence[bytes]) -> Imported:
    """Import once, which warms this process up; return what the peers are to copy."""
    async with (
        FreshDatabase(server, "imported", template=TEMPLATE) as database,
        open_pool(database.url("carillon_user_api")) as pool,
    ):
        await import_body(body, pool)
        admin = await database.connect()
        return Imported(
            users=[tuple(row) for row in await admin.fetch(SQL["imported_users"])],
            messages=[tuple(row) for row in await admin.fetch(SQL["imported_messages"])],
        )


async def import_body(body: Sequence[bytes], pool: Pool) -> None:
    """Import a body as the service does, bytes in and results out."""
    created = 0
    async for committed in import_users(context(pool), split_lines(received(iter(body)))):
        created += sum(result.status == "created" for result in committed.results)
    assert created == sum(chunk.count(b"\n") for chunk in body), created


async def copy_users(ready: Imported, pool: Pool) -> None:
    """Copy the users, as many a transaction as an import has."""
    async with pool.acquire() as connection:
        for start in range(0, len(ready.users), BATCH_LINES):
            async with connection.transaction():
                await _copy_users(connection, ready.users[start : start + BATCH_LINES])


async def copy_both(ready: Imported, pool: Pool) -> None:
    """Copy the users, and into the outbox the messages that tell of them, in the same transactions."""
    async with pool.acquire() as connection:
        for start in range(0, len(ready.users), BATCH_LINES):
            async with connection.transaction():
                await _copy_users(connection, ready.users[start : start + BATCH_LINES])
                await connection.copy_records_to_table(
                    "messages",
                    schema_name="outbox",
                    columns=MESSAGE_COLUMNS,
                    records=ready.messages[start : start + BATCH_LINES],
                )


async def _copy_users(connection: Connection, users: Sequence[tuple[Any, ...]]) -> None:
    await connection.copy_records_to_table("users", schema_name="users", columns=COLUMNS, records=users)


async def pass_over(
    server: EmbeddedPostgres, users: int, role: str, work: Work, costs: list[Cost], *, messages: bool = False
) -> float:
    """Fill an empty clone; return rows/s. With `messages`, check that one tells of each user."""
    async with (
        FreshDatabase(server, "filled", template=TEMPLATE) as database,
        open_pool(database.url(role)) as pool,
    ):
        admin = await database.connect()
        await admin.execute(SQL["checkpoint"])
        async with pool.acquire() as connection:  # the last one given back is the next one lent
            backend = connection.get_server_pid()
        before, started = cpu(backend), time.perf_counter()
        await work(pool)
        seconds, after = time.perf_counter() - started, cpu(backend)
        costs.append(Cost(here=after.here - before.here, there=after.there - before.there))
        left = await admin.fetchrow(SQL["count_imported"])
        assert tuple(left or ()) == (users, users if messages else 0), left
    return users / seconds
