"""One row that cannot be emitted or followed holds up nobody, and waits for what makes it right."""

from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from domain.events import UserTimezoneChanged
from msgspec import structs
from runtime.database import Connection
from testkit import build

Plan = Callable[..., Coroutine[Any, Any, None]]
Emit = Callable[..., Awaitable[int]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]

RING = datetime(2026, 12, 10, 9, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ("SET timezone = 'Mars/Olympus_Mons'", "UnknownZone: unknown time zone: 'Mars/Olympus_Mons'"),
        ("SET rrule = 'FREQ=SECONDLY'", "RecurrenceError: "),
        ("SET message = NULL", "ValueError: "),
    ],
)
async def test_a_row_that_cannot_go_on_is_parked_with_the_reason_and_the_others_ring(
    plan: Plan, emit: Emit, pending: Rows, processing: Rows, admin: Connection, spoil: str, reason: str
) -> None:
    users = [build.user_created() for _ in range(3)]
    await plan(*users, *(build.reminder_added(user_id=user.user_id) for user in users))
    spoilt = await admin.fetchval(
        f"UPDATE schedule.occurrences {spoil} WHERE user_id = $1 AND occasion_type = 'REMINDER'"
        " RETURNING event_id",
        users[1].user_id,
    )

    assert await emit(RING) == 6
    assert await emit(RING) == 0

    assert len(await processing()) == 5
    [parked] = [row for row in await pending() if row["parked"]]
    assert (parked["event_id"], parked["emitted_at"], parked["check_at"]) == (spoilt, None, None)
    assert parked["parked"].startswith(reason)


async def test_the_next_change_plans_it_anew_and_it_rings(
    plan: Plan, emit: Emit, processing: Rows, admin: Connection
) -> None:
    user = build.user_created()
    await plan(user)
    await admin.execute("UPDATE schedule.occurrences SET timezone = 'Mars/Olympus_Mons'")
    await emit(RING)

    await plan(UserTimezoneChanged(**structs.asdict(structs.replace(user, version=2, timezone="UTC"))))

    assert await emit(RING) == 1
    assert [row["nominal_date"] for row in await processing()] == ["2026-12-10"]


async def test_what_is_missed_and_cannot_be_followed_is_parked_instead_of_lost(
    plan: Plan, emit: Emit, pending: Rows, history: Rows, outbox: Rows, admin: Connection
) -> None:
    await plan(build.user_created())
    await admin.execute("UPDATE schedule.occurrences SET timezone = 'Mars/Olympus_Mons'")

    await emit(RING + 2 * DAY, returned_at=RING + 2 * DAY)

    assert [row["nominal_date"] for row in await pending()] == ["2026-12-10"]
    assert (await history(), await outbox()) == ([], [])


async def test_a_pause_outlives_a_change(plan: Plan, emit: Emit, pending: Rows, admin: Connection) -> None:
    user = build.user_created()
    await plan(user)
    await admin.execute("UPDATE schedule.occurrences SET parked = 'paused'")

    await plan(UserTimezoneChanged(**structs.asdict(structs.replace(user, version=2, timezone="UTC"))))

    assert await emit(RING) == 0
    assert [(row["parked"], row["timezone"]) for row in await pending()] == [("paused", "UTC")]
