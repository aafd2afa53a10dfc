import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from domain.events import BirthdayDue, OccurrenceExpired, UserTimezoneChanged
from domain.ids import birthday_occasion_id
from messaging.envelope import read
from messaging.topology import Topology
from msgspec import structs
from runtime.database import Connection, Pool
from runtime.statements import Statements
from scheduler.due_event import due_types
from scheduler.park_paused import hold_pauses, park_paused
from scheduler.plan_following import following, plan_following
from scheduler.unpark_resumed import unpark_batch
from testkit import build
from testkit.fresh_database import FreshDatabase
from testkit.wait import eventually

ClaimUnderWay = Callable[[], AbstractAsyncContextManager[None]]
Plan = Callable[..., Coroutine[Any, Any, None]]
Emit = Callable[..., Coroutine[Any, Any, int]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]

SQL = Statements("scheduler")
RING = datetime(2026, 12, 10, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest_asyncio.fixture
async def api(database: FreshDatabase) -> Connection:
    """Give a connection of the API's role, which alone pauses and resumes."""
    return await database.connect("carillon_user_api")


async def pause_occasion(api: Connection, occasion_id: UUID, user_id: UUID) -> bool:
    return bool(
        await api.fetchval(
            "SELECT schedule.pause_occasion($1, $2, 'moved house', $3, 'ada')", occasion_id, user_id, RING
        )
    )


async def resume_occasion(api: Connection, occasion_id: UUID, at: datetime) -> bool:
    return bool(await api.fetchval("SELECT schedule.resume_occasion($1, $2)", occasion_id, at))


async def pause_type(api: Connection, occasion_type: str) -> bool:
    return bool(
        await api.fetchval(
            "SELECT schedule.pause_event_type($1, 'a bad template', $2, 'ada')", occasion_type, RING
        )
    )


async def resume_type(api: Connection, occasion_type: str, at: datetime) -> bool:
    return bool(await api.fetchval("SELECT schedule.resume_event_type($1, $2)", occasion_type, at))


async def let_go(pool: Pool, *, batch: int = 500) -> None:
    """Let go of all that was resumed."""
    while await unpark_batch(pool, batch=batch):
        pass


async def rung(outbox: Rows) -> list[str]:
    return sorted(row["event_type"] for row in await outbox())


async def test_a_paused_occasion_is_parked_when_it_falls_due_and_the_others_ring(
    plan: Plan, emit: Emit, pending: Rows, processing: Rows, api: Connection
) -> None:
    paused, other = build.user_created(), build.user_created()
    await plan(paused, other)
    birthday = birthday_occasion_id(paused.user_id)
    before = next(dict(row) for row in await pending() if row["occasion_id"] == birthday)

    await pause_occasion(api, birthday, paused.user_id)
    await emit(RING)
    again = await emit(RING + HOUR)

    assert [row["user_id"] for row in await processing()] == [other.user_id]
    parked, _ = await pending()
    assert dict(parked) == before | {"parked": "paused"}
    assert again == 0


async def test_a_paused_type_rings_for_nobody_and_every_other_type_rings(
    plan: Plan, emit: Emit, pending: Rows, outbox: Rows, api: Connection
) -> None:
    reminders = [build.reminder_added(local_date_time=RING.replace(tzinfo=None)) for _ in range(3)]
    await plan(*(build.user_created(user_id=one.user_id) for one in reminders), *reminders)

    await pause_type(api, "BIRTHDAY")
    await emit(RING)

    assert await rung(outbox) == ["ReminderDue"] * 3
    parked = [row for row in await pending() if row["parked"] == "paused"]
    assert [row["nominal_date"] for row in parked] == ["2026-12-10"] * 3
    assert {row["occasion_type"] for row in parked} == {"BIRTHDAY"}


async def test_pausing_touches_no_row_that_is_not_due(
    plan: Plan, pending: Rows, emit: Emit, api: Connection
) -> None:
    await plan(build.user_created())
    before = await pending()

    await pause_type(api, "BIRTHDAY")
    await emit(RING - HOUR)

    assert await pending() == before


async def test_what_is_resumed_rings_late_and_counts_as_planned_when_resumed(
    plan: Plan, emit: Emit, pending: Rows, outbox: Rows, pool: Pool, api: Connection
) -> None:
    await plan(*(build.user_created() for _ in range(5)))
    await pause_type(api, "BIRTHDAY")
    await emit(RING)

    await resume_type(api, "BIRTHDAY", RING + HOUR)
    await let_go(pool, batch=2)

    assert {(row["parked"], row["planned_at"]) for row in await pending()} == {(None, RING + HOUR)}
    assert await emit(RING + 2 * HOUR) == 5
    assert await rung(outbox) == ["BirthdayDue"] * 5
    assert await api.fetch("SELECT * FROM schedule.api_pauses") == []


@pytest.mark.parametrize(("held_for", "ends"), [(23 * HOUR, "BirthdayDue"), (25 * HOUR, "OccurrenceExpired")])
async def test_what_was_held_back_is_sent_within_its_catch_up_window_and_expires_beyond_it(
    plan: Plan, emit: Emit, outbox: Rows, pool: Pool, api: Connection, held_for: timedelta, ends: str
) -> None:
    await plan(build.user_created(), at=RING - HOUR)
    await pause_type(api, "BIRTHDAY")
    await emit(RING)

    await resume_type(api, "BIRTHDAY", RING + held_for)
    await let_go(pool)
    await emit(RING + held_for + 5 * HOUR)  # letting go takes its time, which makes nothing later

    [message] = await outbox()
    _, event = read(message["body"])
    assert isinstance(event, BirthdayDue | OccurrenceExpired)
    assert event.event_type == ends
    assert event.late_by_seconds == (held_for + 5 * HOUR).total_seconds()


async def test_an_occasion_that_is_paused_by_itself_stays_so_when_its_type_is_resumed(
    plan: Plan, emit: Emit, processing: Rows, pool: Pool, api: Connection
) -> None:
    paused, other = build.user_created(), build.user_created()
    await plan(paused, other)
    await pause_type(api, "BIRTHDAY")
    await pause_occasion(api, birthday_occasion_id(paused.user_id), paused.user_id)
    await emit(RING)

    await resume_type(api, "BIRTHDAY", RING + HOUR)
    await let_go(pool, batch=1)
    await emit(RING + HOUR)

    assert [row["user_id"] for row in await processing()] == [other.user_id]
    await resume_occasion(api, birthday_occasion_id(paused.user_id), RING + 2 * HOUR)
    await let_go(pool)
    assert await emit(RING + 2 * HOUR) == 1


async def test_an_occasion_of_a_type_that_is_paused_does_not_ring_when_it_is_resumed_itself(
    plan: Plan, emit: Emit, outbox: Rows, pool: Pool, api: Connection
) -> None:
    user = build.user_created()
    await plan(user)
    await pause_occasion(api, birthday_occasion_id(user.user_id), user.user_id)
    await pause_type(api, "BIRTHDAY")
    await emit(RING)

    await resume_occasion(api, birthday_occasion_id(user.user_id), RING + HOUR)
    await let_go(pool)
    await emit(RING + HOUR)
    assert await rung(outbox) == []

    await resume_type(api, "BIRTHDAY", RING + HOUR)
    await let_go(pool)
    await emit(RING + HOUR)
    assert await rung(outbox) == ["BirthdayDue"]


async def test_a_change_of_what_is_paused_neither_rings_nor_loses_it(
    plan: Plan, emit: Emit, pending: Rows, outbox: Rows, pool: Pool, api: Connection
) -> None:
    created = build.user_created()
    birthday = birthday_occasion_id(created.user_id)
    await plan(created)
    await pause_occasion(api, birthday, created.user_id)
    await emit(RING)

    await plan(
        UserTimezoneChanged(**structs.asdict(structs.replace(created, version=2, timezone="Asia/Tokyo")))
    )
    await emit(RING + HOUR)

    assert await rung(outbox) == []
    [parked] = await pending()
    assert (parked["nominal_date"], parked["timezone"]) == ("2026-12-10", "Asia/Tokyo")
    await resume_occasion(api, birthday, RING + HOUR)
    await let_go(pool)
    await emit(RING + HOUR)
    assert await rung(outbox) == ["BirthdayDue"]


async def test_pausing_and_resuming_again_change_nothing(api: Connection) -> None:
    user = build.user_created()
    birthday = birthday_occasion_id(user.user_id)

    paused = [await pause_occasion(api, birthday, user.user_id) for _ in range(2)]
    resumed = [await resume_occasion(api, birthday, RING) for _ in range(2)]
    of_type = [await pause_type(api, "REMINDER") for _ in range(2)]
    of_type += [await resume_type(api, "REMINDER", RING) for _ in range(2)]

    assert (paused, resumed) == ([True, False], [True, False])
    assert of_type == [True, False, True, False]


async def test_what_is_paused_again_before_it_is_let_go_stays_parked(
    plan: Plan, emit: Emit, pool: Pool, api: Connection
) -> None:
    await plan(build.user_created())
    await pause_type(api, "BIRTHDAY")
    await emit(RING)
    await resume_type(api, "BIRTHDAY", RING + HOUR)

    assert await pause_type(api, "BIRTHDAY")
    await let_go(pool)

    assert await emit(RING + HOUR) == 0


async def test_pauses_and_their_notes_go_with_the_user_and_the_occasion(
    plan: Plan, api: Connection, admin: Connection
) -> None:
    gone, kept = build.user_created(), build.user_created()
    removed, stays = [build.reminder_added(user_id=kept.user_id) for _ in range(2)]
    await plan(gone, kept, removed, stays)
    for occasion_id, user_id in (
        (birthday_occasion_id(gone.user_id), gone.user_id),
        (removed.occasion_id, kept.user_id),
        (stays.occasion_id, kept.user_id),
    ):
        await pause_occasion(api, occasion_id, user_id)

    await plan(build.user_deleted(gone.user_id), build.occasion_removed(removed))

    assert [row["occasion_id"] for row in await admin.fetch("SELECT * FROM schedule.pauses")] == [
        stays.occasion_id
    ]


@pytest.fixture
def claim_under_way(pool: Pool, topology: Topology) -> ClaimUnderWay:
    """Do what a claim does, and commit it when the block ends."""

    @asynccontextmanager
    async def claim() -> AsyncIterator[None]:
        async with pool.acquire() as connection, connection.transaction():
            any_paused = await hold_pauses(connection)
            rows = await connection.fetch(SQL["claim_due"], RING, 500, HOUR, None, RING)
            if any_paused:
                rows = await park_paused(connection, rows)
            next_dates = [(row, following(row, due_types(topology))) for row in rows]
            await plan_following(connection, next_dates)
            yield

    return claim


@pytest.mark.parametrize("pauses", ["occasion", "type"])
async def test_a_pause_waits_for_the_claim_under_way_and_the_next_claim_heeds_it(
    plan: Plan, emit: Emit, claim_under_way: ClaimUnderWay, api: Connection, admin: Connection, pauses: str
) -> None:
    user = build.user_created()
    await plan(user)

    async with claim_under_way():
        pausing = asyncio.create_task(
            pause_type(api, "BIRTHDAY")
            if pauses == "type"
            else pause_occasion(api, birthday_occasion_id(user.user_id), user.user_id)
        )
        await until_waiting(admin, 1)
        # It begins beside the pause, before that is committed, and for the date that follows.
        next_claim = asyncio.create_task(emit(RING + timedelta(days=366)))
        await until_waiting(admin, 2)
    await asyncio.gather(pausing, next_claim)

    rows = await admin.fetch(
        "SELECT nominal_date, status, parked FROM schedule.occurrences ORDER BY nominal_date"
    )
    assert [tuple(row) for row in rows] == [
        ("2026-12-10", "PROCESSING", None),
        ("2027-12-10", "PENDING", "paused"),
    ]


async def test_what_is_resumed_is_let_go_after_the_last_claim_that_parks_it(
    plan: Plan, emit: Emit, claim_under_way: ClaimUnderWay, pool: Pool, api: Connection, admin: Connection
) -> None:
    await plan(build.user_created())
    await pause_type(api, "BIRTHDAY")

    async with claim_under_way():
        resuming = asyncio.create_task(resume_type(api, "BIRTHDAY", RING + HOUR))
        await until_waiting(admin, 1)
    await resuming
    await let_go(pool)

    assert await emit(RING + HOUR) == 1


async def until_waiting(admin: Connection, count: int) -> None:
    """Wait until so many wait for a lock."""

    async def wait() -> bool:
        waiting = await admin.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(waiting) >= count

    await eventually(wait, message="nobody waits for a lock")
