import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec import structs
from runtime.database import Connection, Pool
from scheduler.forget_old import BATCH, forget_old
from testkit import build

Plan = Callable[..., Coroutine[Any, Any, None]]
Emit = Callable[..., Coroutine[Any, Any, int]]
Forget = Callable[[], Coroutine[Any, Any, None]]

NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=36)
LATELY = NOW - timedelta(days=34)
USERS = "SELECT id FROM schedule.users"
OCCASIONS = "SELECT id FROM schedule.occasions"
DELETED = """
INSERT INTO schedule.users (id, version, deleted_at)
SELECT gen_random_uuid(), 2, $1 FROM generate_series(1, $2)
"""


@pytest.fixture
def forget(pool: Pool) -> Forget:
    return lambda: forget_old(pool, asyncio.Event(), offset=timedelta(0))


async def known(admin: Connection, query: str) -> set[UUID]:
    return {row["id"] for row in await admin.fetch(query)}


async def test_a_deleted_users_tombstone_is_kept_for_35_days(
    plan: Plan, forget: Forget, admin: Connection
) -> None:
    deleted = [build.user_created() for _ in range(2)]
    stays = build.user_created(occurred_at=LONG_AGO)
    long_gone, lately_gone = (user.user_id for user in deleted)
    await plan(
        stays,
        *deleted,
        build.user_deleted(long_gone, occurred_at=LONG_AGO),
        build.user_deleted(lately_gone, occurred_at=LATELY),
    )

    await forget()

    assert await known(admin, USERS) == {lately_gone, stays.user_id}


async def test_a_removed_occasions_tombstone_is_kept_for_35_days(
    plan: Plan, forget: Forget, admin: Connection
) -> None:
    user = build.user_created()
    occasions = [build.occasion_added(user_id=user.user_id, occurred_at=LONG_AGO) for _ in range(3)]
    long_gone, lately_gone, stays = occasions
    await plan(user, *occasions)
    await plan(
        structs.replace(build.occasion_removed(long_gone), occurred_at=LONG_AGO),
        structs.replace(build.occasion_removed(lately_gone), occurred_at=LATELY),
    )

    await forget()

    assert await known(admin, OCCASIONS) == {lately_gone.occasion_id, stays.occasion_id}


async def test_a_notification_is_kept_until_35_days_after_it_rang_and_a_reminder_while_its_user_is(
    plan: Plan, emit: Emit, forget: Forget, admin: Connection
) -> None:
    user = build.user_created()
    rang, rang_lately, still_to_ring = (
        build.notification_added(
            user_id=user.user_id, at=at, first_date=at.date().isoformat(), occurred_at=LONG_AGO
        )
        for at in (LONG_AGO, LATELY, NOW + timedelta(days=1))
    )
    reminder = build.reminder_added(user_id=user.user_id, occurred_at=LONG_AGO)
    await plan(user, rang, rang_lately, still_to_ring, reminder)
    held_back = build.notification_added(
        user_id=user.user_id, at=LONG_AGO, first_date=LONG_AGO.date().isoformat(), occurred_at=LONG_AGO
    )
    await emit(NOW)
    await plan(held_back)

    await forget()

    assert await known(admin, OCCASIONS) == {
        occasion.occasion_id for occasion in (rang_lately, still_to_ring, reminder, held_back)
    }


async def test_the_place_of_a_user_never_heard_of_goes_with_their_last_occasion(
    plan: Plan, forget: Forget, admin: Connection
) -> None:
    waiting, gone = build.occasion_added(), build.occasion_added(occurred_at=LONG_AGO)
    await plan(waiting, gone, structs.replace(build.occasion_removed(gone), occurred_at=LONG_AGO))
    assert await known(admin, USERS) == {waiting.user_id, gone.user_id}

    await forget()

    assert await known(admin, USERS) == {waiting.user_id}


async def test_by_a_shifted_clock_it_is_that_clocks_35_days(
    plan: Plan, pool: Pool, admin: Connection
) -> None:
    offset = timedelta(days=800)
    user = build.user_created()
    await plan(user, build.user_deleted(user.user_id, occurred_at=NOW + offset - timedelta(days=34)))

    await forget_old(pool, asyncio.Event(), offset=offset)
    assert await known(admin, USERS) == {user.user_id}

    await forget_old(pool, asyncio.Event(), offset=offset + timedelta(days=2))
    assert await known(admin, USERS) == set()


async def test_many_are_forgotten_by_several_schedulers_and_none_that_is_being_planned(
    pool: Pool, forget: Forget, admin: Connection
) -> None:
    await admin.execute(DELETED, LONG_AGO, 2 * BATCH + 100)

    async with pool.acquire() as planning, planning.transaction():
        held = await planning.fetchval("SELECT id FROM schedule.users LIMIT 1 FOR UPDATE")
        await asyncio.gather(forget(), forget(), forget())

    assert await known(admin, USERS) == {held}
