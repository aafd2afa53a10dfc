from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from domain.events import DueEvent, OccasionAdded, UserTimezoneChanged
from domain.ids import due_event_id
from domain.send_window import jitter_seconds
from messaging.envelope import read
from messaging.topology import Topology
from msgspec import structs
from testkit import build

Plan = Callable[..., Coroutine[Any, Any, None]]
Emit = Callable[..., Awaitable[int]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]

RING = datetime(2026, 12, 10, 9, tzinfo=UTC)
WINDOW_MINUTES = 60
WINDOW = timedelta(minutes=WINDOW_MINUTES)
OF_EVERY_KIND = [
    build.occasion_added(first_date="2026-12-10", date=RING.date().replace(year=2019)),
    build.reminder_added(local_date_time=RING.replace(tzinfo=None)),
    build.notification_added(at=RING),
]


@pytest.fixture
def topology(topology: Topology) -> Topology:
    """Spread every type over an hour."""
    event_types = {
        name: structs.replace(event_type, send_window_minutes=WINDOW_MINUTES)
        for name, event_type in topology.event_types.items()
    }
    return structs.replace(topology, event_types=event_types)


async def test_a_burst_is_spread_over_the_window_that_begins_at_the_instant_promised(
    plan: Plan, pending: Rows
) -> None:
    await plan(*(build.user_created() for _ in range(60)))

    rows = await pending()

    assert [row["due_at"] - timedelta(seconds=row["jitter_seconds"]) for row in rows] == [RING] * 60
    assert {row["due_at"] < RING + WINDOW for row in rows} == {True}
    assert len({row["due_at"].minute for row in rows}) > 20
    assert [row["jitter_seconds"] for row in rows] == [
        jitter_seconds(row["event_id"], WINDOW_MINUTES) for row in rows
    ]


@pytest.mark.parametrize("occasion", OF_EVERY_KIND, ids=lambda occasion: occasion.type)
async def test_each_date_has_a_place_of_its_own_and_its_event_tells_it(
    plan: Plan, emit: Emit, pending: Rows, outbox: Rows, occasion: OccasionAdded
) -> None:
    await plan(
        build.user_created(user_id=occasion.user_id, date_of_birth=RING.date().replace(month=2)), occasion
    )
    first = next(row for row in await pending() if row["occasion_id"] == occasion.occasion_id)

    early = await emit(first["due_at"] - timedelta(seconds=1))
    emitted = await emit(first["due_at"] + timedelta(seconds=5))

    assert (early, emitted) == (0, 1)
    [message] = await outbox()
    _, event = read(message["body"])
    assert isinstance(event, DueEvent)
    assert (event.due_at, event.jitter_seconds) == (first["due_at"], first["jitter_seconds"])
    assert event.late_by_seconds == 5
    following = [row for row in await pending() if row["occasion_id"] == occasion.occasion_id]
    assert [row["jitter_seconds"] for row in following] == [
        jitter_seconds(due_event_id(occasion.occasion_id, row["nominal_date"]), WINDOW_MINUTES)
        for row in following
    ]
    assert {row["nominal_date"] for row in following}.isdisjoint({first["nominal_date"]})


async def test_a_notification_whose_place_is_on_the_next_day_rings_once(
    plan: Plan, emit: Emit, pending: Rows, processing: Rows
) -> None:
    midnight = datetime(2026, 12, 11, tzinfo=UTC)
    late = build.notification_added(at=midnight - timedelta(seconds=1))
    await plan(build.user_created(user_id=late.user_id, first_date="2027-12-10"), late)
    assert (await pending())[0]["due_at"] > midnight

    await emit(midnight + WINDOW)

    assert [row["occasion_id"] for row in await processing()] == [late.occasion_id]
    assert late.occasion_id not in {row["occasion_id"] for row in await pending()}


async def test_planning_again_keeps_a_dates_place(plan: Plan, pending: Rows) -> None:
    created = build.user_created()
    await plan(created)
    [before] = await pending()

    await plan(
        UserTimezoneChanged(**structs.asdict(structs.replace(created, version=2, timezone="Asia/Tokyo")))
    )

    [after] = await pending()
    assert after["due_at"] == before["due_at"] - timedelta(hours=9)
    assert after["jitter_seconds"] == before["jitter_seconds"]
