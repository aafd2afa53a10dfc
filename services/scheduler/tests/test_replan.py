import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from domain.ids import birthday_occasion_id
from domain.zones import TZ_DATABASE_VERSION
from messaging.topology import Topology
from msgspec import structs
from runtime.database import Connection, Pool
from runtime.statements import Statements
from scheduler.due_event import due_types
from scheduler.plan_following import following, plan_following
from scheduler.replan import BATCH, Replanned, replan, warn_of_other_release
from structlog.testing import capture_logs
from testkit import build
from testkit.wait import eventually

Plan = Callable[..., Coroutine[Any, Any, None]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]
Replan = Callable[..., Coroutine[Any, Any, list[Replanned]]]

SQL = Statements("scheduler")
RING = datetime(2026, 12, 10, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)

# As a release had it in which clocks were an hour behind.
OTHER_RELEASE = """
UPDATE schedule.occurrences
SET tz_database = '1999a', due_at = due_at + interval '1 hour', ripe_at = due_at + interval '1 hour'
WHERE user_id = ANY($1)
"""
SAME_RULES = "UPDATE schedule.occurrences SET tz_database = '1999a'"


@pytest.fixture
def again(pool: Pool, topology: Topology) -> Replan:
    """Plan again, to the end."""

    async def to_the_end(*, offset: timedelta = timedelta(0), dry_run: bool = False) -> list[Replanned]:
        return [
            one async for batch in replan(pool, topology, offset=offset, dry_run=dry_run) for one in batch
        ]

    return to_the_end


async def test_what_another_release_had_otherwise_is_due_as_this_one_has_it_and_the_rest_stays(
    plan: Plan, pending: Rows, admin: Connection, again: Replan
) -> None:
    moved, stays = build.user_created(timezone="Europe/Kyiv"), build.user_created(timezone="Asia/Tokyo")
    occasions = [
        build.occasion_added(user_id=moved.user_id),
        build.reminder_added(user_id=moved.user_id),
        build.occasion_added(user_id=stays.user_id),
    ]
    await plan(moved, stays, *occasions)
    right = await pending()
    await admin.execute(OTHER_RELEASE, [moved.user_id])

    told = await again()

    before = {row["occasion_id"]: row["due_at"] for row in right if row["user_id"] == moved.user_id}
    assert {(one.occasion_id, one.timezone, one.was_due_at, one.due_at) for one in told} == {
        (occasion_id, "Europe/Kyiv", due_at + HOUR, due_at) for occasion_id, due_at in before.items()
    }
    # All that planning wrote, but for when, and since when it is late.
    times = {"planned_at", "ripe_at"}
    assert [{key: value for key, value in row.items() if key not in times} for row in await pending()] == [
        {key: value for key, value in row.items() if key not in times} for row in right
    ]
    assert await again() == []


async def test_a_notification_rings_at_its_instant_whatever_its_zones_clocks_show(
    plan: Plan, pending: Rows, admin: Connection, again: Replan
) -> None:
    user = build.user_created(timezone="Asia/Tokyo")
    notification = build.notification_added(user_id=user.user_id)
    await plan(user, notification)
    await admin.execute(
        "UPDATE schedule.occurrences SET send_at_local = '17:00', tz_database = '1999a'"
        " WHERE occasion_type = 'NOTIFICATION'"
    )

    assert [(one.occasion_id, one.moved) for one in await again()] == [(notification.occasion_id, False)]

    [row] = [row for row in await pending() if row["occasion_id"] == notification.occasion_id]
    assert (row["due_at"], row["send_at_local"].hour) == (notification.at, 18)


async def test_a_dry_run_tells_the_same_and_writes_nothing(
    plan: Plan, pending: Rows, admin: Connection, again: Replan
) -> None:
    user = build.user_created()
    await plan(user, build.reminder_added(user_id=user.user_id))
    await admin.execute(OTHER_RELEASE, [user.user_id])
    before = await pending()

    would = await again(dry_run=True)

    assert await pending() == before
    assert [one.moved for one in would] == [True, True]
    assert await again() == would


async def test_a_zone_that_this_release_does_not_know_is_told_and_holds_up_nothing(
    plan: Plan, pending: Rows, admin: Connection, again: Replan
) -> None:
    lost, other = build.user_created(), build.user_created()
    await plan(lost, other)
    await admin.execute(OTHER_RELEASE, [lost.user_id, other.user_id])
    await admin.execute(
        "UPDATE schedule.occurrences SET timezone = 'Mars/Base' WHERE user_id = $1", lost.user_id
    )

    told = {one.occasion_id: one.refused for one in await again()}

    assert told == {
        birthday_occasion_id(lost.user_id): "UnknownZone: unknown time zone: 'Mars/Base'",
        birthday_occasion_id(other.user_id): None,
    }
    assert {row["user_id"]: row["tz_database"] for row in await pending()} == {
        lost.user_id: "1999a",
        other.user_id: TZ_DATABASE_VERSION,
    }


async def test_what_could_not_ring_under_another_release_may_again_and_what_is_paused_stays_so(
    plan: Plan, pending: Rows, admin: Connection, again: Replan
) -> None:
    stuck, paused = build.user_created(), build.user_created()
    await plan(stuck, paused)
    await admin.execute(OTHER_RELEASE, [stuck.user_id, paused.user_id])
    reason = "UPDATE schedule.occurrences SET parked = $2 WHERE user_id = $1"
    await admin.execute(reason, stuck.user_id, "unknown time zone: 'Europe/Kyiv'")
    await admin.execute(reason, paused.user_id, "paused")

    await again()

    assert {row["user_id"]: row["parked"] for row in await pending()} == {
        stuck.user_id: None,
        paused.user_id: "paused",
    }


async def test_its_place_in_a_send_window_is_kept(
    plan: Plan, pending: Rows, admin: Connection, again: Replan
) -> None:
    user = build.user_created()
    await plan(user)
    await admin.execute(OTHER_RELEASE, [user.user_id])
    await admin.execute(
        "UPDATE schedule.occurrences SET jitter_seconds = 90, due_at = due_at + interval '90 s'"
    )

    await again()

    [row] = await pending()
    assert (row["due_at"], row["jitter_seconds"]) == (RING + timedelta(seconds=90), 90)


@pytest.mark.parametrize(
    ("now", "ripe_at"),
    [
        (RING - HOUR, RING),  # to come, before and after
        (RING + HOUR / 2, RING + HOUR / 2),  # was to come, is past: only from now on it could ring
        (RING + 2 * HOUR, RING + HOUR),  # was late already, and is no younger for it
    ],
)
async def test_lateness_counts_from_when_it_could_ring(
    plan: Plan, pending: Rows, admin: Connection, again: Replan, now: datetime, ripe_at: datetime
) -> None:
    user = build.user_created()
    await plan(user)
    await admin.execute(OTHER_RELEASE, [user.user_id])

    await again(offset=now - await admin.fetchval("SELECT now()"))

    [row] = await pending()
    assert row["due_at"] == RING
    assert abs(row["ripe_at"] - ripe_at) < timedelta(minutes=1)


async def test_a_claim_under_way_is_waited_for_and_the_date_it_leaves_is_planned_again(
    plan: Plan,
    pending: Rows,
    processing: Rows,
    pool: Pool,
    topology: Topology,
    admin: Connection,
    again: Replan,
) -> None:
    user = build.user_created(timezone="Europe/Kyiv")
    await plan(user)
    await admin.execute(OTHER_RELEASE, [user.user_id])

    async with pool.acquire() as connection:
        async with connection.transaction():
            rows = await connection.fetch(SQL["claim_due"], RING, 500, timedelta(minutes=15), None, RING)
            await plan_following(connection, [(row, following(row, due_types(topology))) for row in rows])
            # An older version writes no release.
            await connection.execute(
                "UPDATE schedule.occurrences SET tz_database = NULL, due_at = due_at + interval '1 hour'"
                " WHERE status = 'PENDING'"
            )
            replanning = asyncio.create_task(again())
            await eventually(lambda: somebody_waits(admin), message="nobody waits for a lock")
        [told] = await replanning

    [row] = await pending()
    [rung] = await processing()
    assert (row["nominal_date"], row["due_at"]) == ("2027-12-10", told.due_at)
    assert told.moved
    assert rung["tz_database"] == "1999a"  # what rang is left as it was


async def somebody_waits(admin: Connection) -> bool:
    waits: bool = await admin.fetchval(
        "SELECT count(*) > 0 FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return waits


async def test_more_than_a_batch_is_planned_again_and_so_is_what_an_older_version_leaves_behind_it(
    plan: Plan, pending: Rows, pool: Pool, topology: Topology, admin: Connection
) -> None:
    await plan(*(build.user_created() for _ in range(BATCH + 20)))
    await admin.execute(SAME_RULES)
    first: UUID = min(row["occasion_id"] for row in await pending())

    counts: list[int] = []
    async for batch in replan(pool, topology, offset=timedelta(0)):
        if not counts:
            await admin.execute(
                "UPDATE schedule.occurrences SET tz_database = '1998a' WHERE occasion_id = $1", first
            )
        counts.append(len(batch))

    assert counts == [BATCH, 20, 1]
    assert {row["tz_database"] for row in await pending()} == {TZ_DATABASE_VERSION}


async def test_cut_off_it_goes_on_where_it_ended(
    plan: Plan, pool: Pool, topology: Topology, admin: Connection, again: Replan
) -> None:
    await plan(*(build.user_created() for _ in range(BATCH + 20)))
    await admin.execute(SAME_RULES)

    async for _ in replan(pool, topology, offset=timedelta(0)):
        break

    assert len(await again()) == 20


async def test_schedulers_planning_beside_it_never_deadlock_with_it(
    plan: Plan, pending: Rows, admin: Connection, again: Replan
) -> None:
    users = [build.user_created() for _ in range(200)]
    await plan(*users)

    for version in range(2, 6):
        await admin.execute(SAME_RULES)
        changed = [structs.replace(user, version=version) for user in users]
        await asyncio.gather(again(), plan(*changed[::-1]), again())

    assert {row["tz_database"] for row in await pending()} == {TZ_DATABASE_VERSION}


@pytest.mark.parametrize(("release", "told"), [("1999a", "1999a"), (None, "unknown")])
async def test_a_starting_scheduler_warns_of_rows_of_another_release(
    plan: Plan, pool: Pool, admin: Connection, release: str | None, told: str
) -> None:
    await plan(build.user_created(), build.user_created())

    with capture_logs() as silence:
        await warn_of_other_release(pool, asyncio.Event())
    await admin.execute("UPDATE schedule.occurrences SET tz_database = $1", release)
    with capture_logs() as logs:
        await warn_of_other_release(pool, asyncio.Event())

    assert silence == []
    assert [(line["log_level"], line["planned_under"]) for line in logs] == [("warning", told)]
