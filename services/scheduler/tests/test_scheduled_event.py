"""What is planned is told, once, in the transaction that plans it; not at all if switched off."""

from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from domain.events import (
    Event,
    OccurrenceCompleted,
    OccurrenceScheduled,
    UserCreated,
    UserNameChanged,
    UserTimezoneChanged,
)
from domain.ids import birthday_occasion_id, due_event_id
from domain.priority import Priority
from messaging.consume import Received
from messaging.envelope import read
from messaging.topology import Topology, TopologyError
from msgspec import structs
from runtime.database import Connection, Pool
from scheduler.check_topology import check_topology
from scheduler.emit_due import emit_batch
from scheduler.on_user_event import on_user_events
from scheduler.replan import replan
from testkit import build

Plan = Callable[..., Coroutine[Any, Any, None]]
Emit = Callable[..., Awaitable[int]]
Hear = Callable[..., Awaitable[None]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]
Told = Callable[[], Coroutine[Any, Any, list[OccurrenceScheduled]]]

RING = datetime(2026, 12, 10, 9, tzinfo=UTC)
USER = UUID("0192d5f0-5b1e-7c3a-9f1d-3a5e8c2b4d61")


@pytest.fixture
def told(admin: Connection) -> Told:
    """Read what was told of plans, in order; none of it twice."""

    async def read_all() -> list[OccurrenceScheduled]:
        rows = await admin.fetch(
            "SELECT event_id, priority, body FROM outbox.messages"
            " WHERE event_type = 'OccurrenceScheduled' ORDER BY id"
        )
        assert len({row["event_id"] for row in rows}) == len(rows)
        assert {row["priority"] for row in rows} <= {3}
        events = [read(row["body"])[1] for row in rows]
        return [event for event in events if isinstance(event, OccurrenceScheduled)]

    return read_all


def changed(user: UserCreated, kind: type[Event], **changes: object) -> Event:
    return kind(**structs.asdict(user) | {"version": user.version + 1} | changes)


def without(topology: Topology, name: str) -> Topology:
    off = structs.replace(topology.event_types[name], published=False)
    return structs.replace(topology, event_types={**topology.event_types, name: off})


async def test_a_plan_is_told_and_told_again_only_when_it_is_another(plan: Plan, told: Told) -> None:
    user = build.user_created(user_id=USER)
    renamed = changed(user, UserNameChanged, first_name="Augusta")
    moved = changed(user, UserTimezoneChanged, version=3, timezone="Asia/Tokyo")

    await plan(user, at=RING - timedelta(days=9))
    await plan(renamed)
    await plan(moved, at=RING - timedelta(days=8))
    await plan(user, renamed, moved)

    expected = OccurrenceScheduled(
        due_event_id=due_event_id(birthday_occasion_id(USER), "2026-12-10"),
        due_event_type="BirthdayDue",
        occasion_id=birthday_occasion_id(USER),
        user_id=USER,
        version=1,
        occurred_at=RING,
        local_date=date(2026, 12, 10),
        local_time=time(9),
        timezone="Europe/London",
        due_at=RING,
        priority=Priority.CRITICAL,
    )
    in_tokyo = structs.replace(expected, version=3, timezone="Asia/Tokyo", due_at=RING - timedelta(hours=9))
    first, second = await told()
    assert [first, second] == [
        structs.replace(expected, occurred_at=first.occurred_at),
        structs.replace(in_tokyo, occurred_at=second.occurred_at),
    ]
    assert abs(second.occurred_at - first.occurred_at - timedelta(days=1)) < timedelta(minutes=1)


async def test_the_version_grows_by_each_change_of_the_user_and_of_the_occasion(
    plan: Plan, told: Told
) -> None:
    user = build.user_created(user_id=USER)
    reminder = build.reminder_added(user_id=USER, version=5)
    await plan(user, reminder)
    await plan(changed(user, UserTimezoneChanged, timezone="Asia/Tokyo"))

    versions = [event.version for event in await told() if event.due_event_type == "ReminderDue"]

    assert versions == [6, 7]


async def test_a_claim_tells_of_the_dates_that_follow_in_the_one_statement_that_emits(
    plan: Plan, emit: Emit, told: Told, statements: list[str]
) -> None:
    await plan(*(build.user_created() for _ in range(3)))
    statements.clear()

    await emit(RING)

    assert [(event.local_date, event.occurred_at) for event in (await told())[3:]] == [
        (date(2027, 12, 10), RING)
    ] * 3
    assert sum("outbox.append" in statement for statement in statements) == 1


async def test_what_another_release_moves_is_told(
    plan: Plan, told: Told, pool: Pool, topology: Topology, admin: Connection
) -> None:
    await plan(build.user_created(user_id=USER))
    await admin.execute(
        "UPDATE schedule.occurrences SET tz_database = '1999a', due_at = due_at + interval '1 hour'"
    )
    await admin.execute("DELETE FROM outbox.messages")

    async for _ in replan(pool, topology, offset=timedelta(0)):
        pass
    await admin.execute("UPDATE schedule.occurrences SET tz_database = '1999a'")
    async for _ in replan(pool, topology, offset=timedelta(0)):
        pass

    assert [event.due_at for event in await told()] == [RING]


async def test_switched_off_it_is_not_told_and_costs_no_statement(
    pool: Pool, topology: Topology, told: Told, statements: list[str], outbox: Rows
) -> None:
    quiet = without(topology, "OccurrenceScheduled")
    check_topology(quiet)
    batch = [Received(event_id=USER, event=build.user_created(user_id=USER), receipt="")]

    await on_user_events(pool, quiet, batch)
    await emit_batch(pool, quiet, now=RING, batch=9, check_after=timedelta(minutes=15))

    assert ([row["event_type"] for row in await outbox()], await told()) == (["BirthdayDue"], [])
    assert sum("outbox.append" in statement for statement in statements) == 1


async def test_a_due_event_that_is_switched_off_rings_nobody_and_is_over_at_once(
    plan: Plan, hear: Hear, pool: Pool, topology: Topology, outbox: Rows, history: Rows, pending: Rows
) -> None:
    quiet = without(topology, "BirthdayDue")
    check_topology(quiet)
    await plan(build.user_created(user_id=USER))

    await emit_batch(pool, quiet, now=RING, batch=9, check_after=timedelta(minutes=15))
    [message] = await outbox()
    _, outcome = read(message["body"])
    assert isinstance(outcome, OccurrenceCompleted)
    await hear(outcome)

    assert [(row["status"], row["nominal_date"]) for row in await history()] == [("COMPLETED", "2026-12-10")]
    assert [row["nominal_date"] for row in await pending()] == ["2027-12-10"]


@pytest.mark.parametrize(
    ("name", "queue"),
    [("UserNameChanged", "scheduler-user-events"), ("OccurrenceProgress", "scheduler-outcomes")],
)
def test_what_planning_and_outcomes_need_cannot_be_switched_off(
    topology: Topology, name: str, queue: str
) -> None:
    with pytest.raises(TopologyError) as refused:
        check_topology(without(topology, name))

    assert str(refused.value) == f"TOPOLOGY_FILE: eventTypes: {queue} needs {name}, which is not published"
