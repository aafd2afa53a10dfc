"""`claim`: emitting what is due, beside the claim statement alone and beside the same work all in SQL."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count

import asyncpg
from runtime.database import Pool
from scheduler.emit_due import SQL as SCHEDULER_SQL
from scheduler.emit_due import emit_batch
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.fresh_database import FreshDatabase

from bench import memory
from bench.claim_cost import Watch, cost
from bench.claim_speed import CLAIM, ONE, SQL_ONE, SQL_THREE, THREE, speed
from bench.figures import Report, alternate
from bench.scratch import SQL, TEMPLATE, open_pool, scratch_postgres, without_news
from bench.zones import ZONES

BATCH = 500
SMALL_BATCH = 50
CHECK_AFTER = timedelta(minutes=15)
SPREAD = timedelta(hours=1)
WARM_BATCHES = 4

Claim = Callable[[Pool], Awaitable[int]]


async def run(*, quick: bool) -> Report:
    """Measure over 100,000 due occurrences a pass (10,000 when quick)."""
    occurrences, rounds = (10_000, 1) if quick else (100_000, 3)
    now = datetime.now(UTC)
    topology = without_news()
    watch = Watch()

    async def emit(batch: int, pool: Pool) -> int:
        return await emit_batch(pool, topology, now=now, batch=batch, check_after=CHECK_AFTER)

    async with scratch_postgres() as server:
        await seed(server, occurrences, now)
        over = partial(pass_over, server, occurrences)
        rates = await alternate(
            rounds,
            {
                ONE: lambda: over("carillon_scheduler", partial(emit, BATCH), watch=watch, whole=True),
                THREE: lambda: over("carillon_scheduler", partial(emit, BATCH), at_a_time=3, whole=True),
                CLAIM: lambda: over("carillon_scheduler", partial(claim_alone, now)),
                SQL_ONE: lambda: over("postgres", partial(emit_in_sql, now), whole=True),
                SQL_THREE: lambda: over("postgres", partial(emit_in_sql, now), at_a_time=3, whole=True),
            },
        )
        small = await statements_of_one(server, partial(emit, SMALL_BATCH))
    return Report(
        figures=[*speed(rates), *cost(watch, batch=BATCH, small_batch=SMALL_BATCH, sent_by_small=small)],
        sizes={"occurrences": occurrences, "batch": BATCH, "rounds": rounds},
    )


async def seed(server: EmbeddedPostgres, occurrences: int, now: datetime) -> None:
    """Fill the database that every pass clones: occurrences that fell due, one by one, in the last hour."""
    connection = await asyncpg.connect(server.url(database=TEMPLATE))
    try:
        step = SPREAD / occurrences
        await connection.execute(SQL["seed_occurrences"], occurrences, now - SPREAD, step, ZONES)
        await connection.execute(SQL["analyze"])
    finally:
        await connection.close()


async def claim_alone(now: datetime, pool: Pool) -> int:
    """Send the service's own claim statement and nothing else."""
    return len(await pool.fetch(SCHEDULER_SQL["claim_due"], now, BATCH, CHECK_AFTER, None, now))


async def emit_in_sql(now: datetime, pool: Pool) -> int:
    """Claim, write next year's rows and append the messages in one statement."""
    return int(await pool.fetchval(SQL["emit_in_sql"], now, BATCH, CHECK_AFTER))


async def pass_over(
    server: EmbeddedPostgres,
    occurrences: int,
    role: str,
    claim: Claim,
    *,
    at_a_time: int = 1,
    watch: Watch | None = None,
    whole: bool = False,
) -> float:
    """Claim until nothing is due, on a clone of the seeded database; return rows/s.

    With `whole`, check that every row is claimed, followed by its next date, and appended.
    """
    watch = watch or Watch()
    async with (
        FreshDatabase(server, "claimed", template=TEMPLATE) as database,
        open_pool(database.url(role), on_statement=watch.on_statement) as pool,
    ):
        admin = await database.connect()
        await admin.execute(SQL["checkpoint"])
        started = time.perf_counter()
        claimed = await asyncio.gather(*(batches(pool, claim, watch) for _ in range(at_a_time)))
        seconds = time.perf_counter() - started
        assert sum(claimed) == occurrences, claimed
        if whole:
            left = await admin.fetchrow(SQL["count_emitted"])
            assert tuple(left or ()) == (occurrences,) * 3, left
    return occurrences / seconds


async def batches(pool: Pool, claim: Claim, watch: Watch) -> int:
    """Claim batch after batch until one is empty; return how many rows."""
    rows, warm = 0, None
    for number in count():
        if number == WARM_BATCHES:  # types looked up, statements prepared, zones read
            memory.forget_peak()
            warm = memory.resident()
        sent, started = watch.statements, time.perf_counter()
        claimed = await claim(pool)
        seconds = time.perf_counter() - started
        rows += claimed
        if not claimed:
            break
        watch.batch_seconds.append(seconds)
        if number >= WARM_BATCHES:
            watch.statements_a_batch.add(watch.statements - sent)
    after, peak = memory.resident(), memory.resident_peak()
    if warm is not None and after is not None and peak is not None:
        watch.warm.append(warm)
        watch.grown.append(after - warm)
        watch.peak.append(peak - warm)
    return rows


async def statements_of_one(server: EmbeddedPostgres, claim: Claim) -> int:
    """Return how many statements a small batch sends once warm."""
    watch = Watch()
    async with (
        FreshDatabase(server, "counted", template=TEMPLATE) as database,
        open_pool(database.url("carillon_scheduler"), on_statement=watch.on_statement) as pool,
    ):
        for _ in range(WARM_BATCHES):
            await claim(pool)
        before = watch.statements
        assert await claim(pool) == SMALL_BATCH
    return watch.statements - before
