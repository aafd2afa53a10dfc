import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from runtime.database import Connection, Pool
from scheduler.keep_history import keep_history
from structlog.testing import capture_logs
from testkit.fresh_database import FreshDatabase

OpenPool = Callable[[], Awaitable[Pool]]

# A finished occurrence, as whoever ended it wrote it.
FINISHED = """
INSERT INTO schedule.history (
    event_id, finished_at, occasion_id, occasion_type, user_id, status, priority, nominal_date, local_date,
    send_at_local, timezone, due_at
)
SELECT
    gen_random_uuid(), $1, gen_random_uuid(), 'BIRTHDAY', gen_random_uuid(), 'COMPLETED', 0, '2026-03-01',
    '2026-03-01', '09:00', 'UTC', $1
FROM generate_series(1, $2)
"""
WHERE_ROWS_ARE = """
SELECT tableoid::regclass::text AS partition, count(*) FROM schedule.history GROUP BY 1 ORDER BY 1
"""
PARTITIONS = """
SELECT inhrelid::regclass::text AS partition, pg_get_expr(relpartbound, oid) AS holds
FROM pg_inherits INNER JOIN pg_class ON oid = inhrelid
WHERE inhparent = 'schedule.history'::regclass
ORDER BY 1
"""


def month(ahead: int) -> datetime:
    """Return the beginning of the month that is so many after this one, in UTC."""
    now = datetime.now(UTC)
    year, index = divmod(now.year * 12 + now.month - 1 + ahead, 12)
    return datetime(year, index + 1, 1, tzinfo=UTC)


def partition(ahead: int) -> str:
    return f"schedule.history_{month(ahead):%Y_%m}"


def bound(ahead: int) -> str:
    return f"{month(ahead):%Y-%m-%d %H:%M:%S}+00"


async def partitions(admin: Connection) -> list[str]:
    return [row["partition"] for row in await admin.fetch(PARTITIONS)]


async def rows(admin: Connection) -> dict[str, int]:
    return {row["partition"]: row["count"] for row in await admin.fetch(WHERE_ROWS_ARE)}


async def test_a_new_database_has_this_month_and_three_ahead_beside_the_default(admin: Connection) -> None:
    holds = [(row["partition"], row["holds"]) for row in await admin.fetch(PARTITIONS)]

    assert holds == [
        *(
            (partition(ahead), f"FOR VALUES FROM ('{bound(ahead)}') TO ('{bound(ahead + 1)}')")
            for ahead in range(4)
        ),
        ("schedule.history_default", "DEFAULT"),
    ]


async def test_what_is_finished_lands_in_the_partition_of_its_month(admin: Connection) -> None:
    await admin.execute(FINISHED, month(1), 1)
    await admin.execute(FINISHED, month(1) - timedelta(microseconds=1), 1)

    assert await rows(admin) == {partition(0): 1, partition(1): 1}


async def test_a_month_that_is_missing_is_made(pool: Pool, admin: Connection) -> None:
    await admin.execute(f"DROP TABLE {partition(3)}")

    await keep_history(pool, months_kept=13)
    assert partition(3) in await partitions(admin)
    before = await partitions(admin)
    await keep_history(pool, months_kept=13)
    assert await partitions(admin) == before


async def test_what_landed_in_the_default_partition_is_moved_to_its_month_and_none_of_it_is_lost(
    pool: Pool, admin: Connection
) -> None:
    await admin.execute(f"DROP TABLE {partition(0)}, {partition(3)}")
    for at, count in ((month(0), 2), (month(3), 3), (month(5), 4), (month(-2), 5)):
        await admin.execute(FINISHED, at, count)
    assert await rows(admin) == {"schedule.history_default": 14}

    await keep_history(pool, months_kept=13)

    assert await rows(admin) == {partition(-2): 5, partition(0): 2, partition(3): 3, partition(5): 4}


async def test_a_new_partition_finds_a_users_occurrences_by_index_and_knows_an_event_once(
    admin: Connection,
) -> None:
    indexes = await admin.fetch("SELECT tablename, indexdef FROM pg_indexes WHERE tablename LIKE 'history%'")

    columns: dict[str, set[str]] = {table: set() for table, _ in indexes}
    for table, definition in indexes:
        columns[table].add(definition.partition(" USING ")[2])
    [of_all] = {frozenset(each) for each in columns.values()}
    assert of_all == {"btree (event_id, finished_at)", "btree (user_id, due_at, event_id)"}


@pytest.mark.parametrize("months_kept", [1, 13])
async def test_a_month_is_dropped_whole_once_it_is_out_of_retention(
    pool: Pool, admin: Connection, months_kept: int
) -> None:
    for ahead in (0, -months_kept, -months_kept - 1, -months_kept - 30):
        await admin.execute(FINISHED, month(ahead), 1)

    with capture_logs() as logs:
        await keep_history(pool, months_kept=months_kept)

    assert await rows(admin) == {partition(-months_kept): 1, partition(0): 1}
    [line] = logs
    assert line["dropped"] == [
        name.removeprefix("schedule.") for name in (partition(-months_kept - 30), partition(-months_kept - 1))
    ]


async def test_of_two_schedulers_one_makes_what_is_missing(open_pool: OpenPool, admin: Connection) -> None:
    await admin.execute(f"DROP TABLE {partition(2)}")
    pools = [await open_pool(), await open_pool()]

    with capture_logs() as logs:
        await asyncio.gather(*(keep_history(pool, months_kept=13) for pool in pools))

    assert [line["made"] for line in logs] == [[partition(2).removeprefix("schedule.")]]


async def test_while_a_backup_reads_history_nothing_is_dropped_and_nobody_waits_longer_than_a_second(
    pool: Pool, admin: Connection, database: FreshDatabase
) -> None:
    await admin.execute(FINISHED, month(-14), 1)
    await keep_history(pool, months_kept=20)
    backup = await database.connect()

    with capture_logs() as logs:
        async with backup.transaction():
            await backup.fetch("SELECT FROM schedule.history")
            await keep_history(pool, months_kept=13)
    held = await partitions(admin)
    await keep_history(pool, months_kept=13)

    assert [(line["event"], line["statement"]) for line in logs] == [
        ("history.held_elsewhere", "drop_history")
    ]
    assert partition(-14) in held
    assert partition(-14) not in await partitions(admin)


async def test_a_month_can_be_made_while_occurrences_are_being_finished(
    pool: Pool, admin: Connection, database: FreshDatabase
) -> None:
    await admin.execute(f"DROP TABLE {partition(3)}")
    finishing = await database.connect()

    async with finishing.transaction():
        await finishing.execute(FINISHED, month(0), 1)
        await keep_history(pool, months_kept=13)

    assert partition(3) in await partitions(admin)
    assert await rows(admin) == {partition(0): 1}
