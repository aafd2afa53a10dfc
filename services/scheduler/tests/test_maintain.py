import asyncio
from datetime import UTC, datetime, timedelta

from runtime.database import Connection, Pool
from scheduler.maintain import maintain
from testkit.wait import eventually

OLD = """
INSERT INTO schedule.users (id, version, deleted_at)
VALUES (gen_random_uuid(), 2, now() + interval '100 days' - interval '36 days')
"""


async def test_it_looks_after_history_and_what_is_old_at_once_and_ends_when_told_to(
    pool: Pool, admin: Connection
) -> None:
    this_month = f"schedule.history_{datetime.now(UTC):%Y_%m}"
    await admin.execute(f"DROP TABLE {this_month}")
    await admin.execute(OLD)

    async def looked_after() -> bool:
        made = await admin.fetchval("SELECT to_regclass($1) IS NOT NULL", this_month)
        return made and not await admin.fetchval("SELECT count(*) FROM schedule.users")

    stop = asyncio.Event()
    loop = asyncio.create_task(maintain(pool, stop, offset=timedelta(days=100), months_kept=13))
    await eventually(looked_after)
    stop.set()
    async with asyncio.timeout(1):
        await loop
