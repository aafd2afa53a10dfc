"""`plan`: the events of new users become PENDING rows, beside bare COPY of the same rows."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from messaging.consume import Received
from messaging.envelope import read
from messaging.queue import tens
from messaging.topology import load_topology
from runtime.database import Pool
from scheduler.on_user_event import on_user_events
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.fresh_database import FreshDatabase

from bench.figures import Figure, Report, alternate, compare, percentile, rounded
from bench.scratch import SQL, TEMPLATE, TOPOLOGY_FILE, open_pool, scratch_postgres
from bench.user_messages import BATCH, user_messages

Plan = Callable[[Pool, int], Awaitable[list[float]]]
Records = Mapping[str, tuple[Sequence[str], list[tuple[Any, ...]]]]
"""By table, the columns and the rows."""

TOPOLOGY = load_topology(TOPOLOGY_FILE)
COPY = "COPY of the same users and PENDING rows"
MILLION = 1_000_000


async def run(*, quick: bool) -> Report:
    """Measure over 50,000 users a round beside the peer (5,000 when quick), then over a million (50,000)."""
    users, rounds, longer = (5000, 1, 50_000) if quick else (50_000, 3, MILLION)
    async with scratch_postgres() as server:
        ready = await planned_rows(server, users)
        over = partial(pass_over, server)
        rates = await alternate(
            rounds,
            {
                "carillon": lambda: over(users, "carillon_scheduler", plan_users),
                COPY: lambda: over(users, "postgres", partial(copy_rows, ready)),
            },
        )
        steady: list[float] = []
        rate = await over(longer, "carillon_scheduler", plan_users, batch_seconds=steady)
    return Report(
        figures=[
            compare("users planned", "users/s", rates["carillon"], COPY, rates[COPY], note="rows ready-made"),
            *million(rate, steady),
        ],
        sizes={"users": users, "batch": BATCH, "rounds": rounds, "longer": longer},
    )


async def plan_users(pool: Pool, users: int) -> list[float]:
    """Plan users from their messages, as the consumer hands them over; return the seconds of each batch.

    As there, the next messages are read, ten by ten, while PostgreSQL is at work on a batch.
    """
    seconds = []
    messages = user_messages(users)
    batch = await received(next(messages))
    while batch:
        coming = next(messages, [])
        started = time.perf_counter()
        reading = asyncio.create_task(received(coming))
        await on_user_events(pool, TOPOLOGY, batch)
        batch = await reading
        seconds.append(time.perf_counter() - started)
    return seconds


async def received(bodies: Sequence[str]) -> list[Received]:
    """Read messages, giving way to others after each ten."""
    batch = []
    for ten in tens(bodies):
        for event_id, event in map(read, ten):
            batch.append(Received(event_id=event_id, event=event, receipt=""))
        await asyncio.sleep(0)
    return batch


async def copy_rows(ready: Records, pool: Pool, users: int) -> list[float]:
    """Copy the same rows in as many transactions; return the seconds of each."""
    seconds = []
    async with pool.acquire() as connection:
        for start in range(0, users, BATCH):
            started = time.perf_counter()
            async with connection.transaction():
                for table, (columns, rows) in ready.items():
                    await connection.copy_records_to_table(
                        table, schema_name="schedule", columns=columns, records=rows[start : start + BATCH]
                    )
            seconds.append(time.perf_counter() - started)
    return seconds


async def planned_rows(server: EmbeddedPostgres, users: int) -> Records:
    """Plan once, which warms this process up; return what the peer is to copy."""
    async with (
        FreshDatabase(server, "ready", template=TEMPLATE) as database,
        open_pool(database.url("carillon_scheduler")) as pool,
    ):
        await plan_users(pool, users)
        admin = await database.connect()
        found = {
            "users": await admin.fetch(SQL["planned_users"]),
            "occurrences": await admin.fetch(SQL["planned_occurrences"]),
        }
    return {table: (list(rows[0].keys()), [tuple(row) for row in rows]) for table, rows in found.items()}


async def pass_over(
    server: EmbeddedPostgres, users: int, role: str, plan: Plan, *, batch_seconds: list[float] | None = None
) -> float:
    """Plan into an empty clone; return users/s, and note the seconds of each batch if asked to.

    Checks that each user has their PENDING row.
    """
    async with (
        FreshDatabase(server, "planned", template=TEMPLATE) as database,
        open_pool(database.url(role)) as pool,
    ):
        admin = await database.connect()
        await admin.execute(SQL["checkpoint"])
        seconds = await plan(pool, users)
        planned = await admin.fetchrow(SQL["count_planned"])
        assert tuple(planned or ()) == (users, users), planned
    if batch_seconds is not None:
        batch_seconds.extend(seconds)
    return users / sum(seconds)


def million(rate: float, batch_seconds: Sequence[float]) -> list[Figure]:
    """Return how long a million users take at that rate, and whether the last of a pass cost more."""
    tenth = max(1, len(batch_seconds) // 10)
    first, last = sum(batch_seconds[:tenth]), sum(batch_seconds[-tenth:])
    return [
        Figure(
            what="a million users planned",
            unit="s",
            carillon=rounded(MILLION / rate),
            goal="≤ 120",
            note=f"fed from memory; the last tenth took {last / first:.2f} times as long as the first",
        ),
        Figure(what="one batch, p99", unit="ms", carillon=rounded(percentile(batch_seconds, 99) * 1000)),
    ]
