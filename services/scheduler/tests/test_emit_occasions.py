from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from domain.events import AnniversaryDue, DueEvent, NotificationDue, OccasionAdded, ReminderDue
from domain.ids import due_event_id
from domain.priority import Priority
from messaging.envelope import read
from msgspec import structs
from runtime.database import Connection
from testkit import build

Plan = Callable[..., Coroutine[Any, Any, None]]
Emit = Callable[..., Awaitable[int]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]

RING = datetime(2026, 12, 10, 9, tzinfo=UTC)
XMAS = date(1990, 12, 25)
TOKYO = {"timezone": "Asia/Tokyo", "date_of_birth": XMAS}
OF_EVERY_KIND = [
    build.occasion_added(date=date(2019, 12, 10), first_date="2026-12-10"),
    build.reminder_added(),
    build.notification_added(),
]


@pytest.mark.parametrize(
    ("occasion", "due", "priority"),
    [
        (
            build.occasion_added(name="wedding", date=date(2019, 12, 10), first_date="2026-12-10"),
            {"kind": AnniversaryDue, "message": "Hey, Ada Lovelace happy wedding anniversary"},
            Priority.HIGH,
        ),
        (
            build.reminder_added(name="plants", local_date_time=datetime(2026, 12, 10, 9)),  # noqa: DTZ001
            {"kind": ReminderDue, "message": "Water the plants"},
            Priority.NORMAL,
        ),
        (
            build.notification_added(at=datetime(2026, 12, 10, 0, 0, 0, 5, tzinfo=UTC)),
            {"kind": NotificationDue, "message": "Your trial ends tomorrow"},
            Priority.LOW,
        ),
        (
            build.notification_added(at=datetime(2026, 12, 10, tzinfo=UTC), priority=Priority.CRITICAL),
            {"kind": NotificationDue, "message": "Your trial ends tomorrow"},
            Priority.CRITICAL,
        ),
    ],
    ids=["anniversary", "reminder", "notification", "priority of its own"],
)
async def test_an_occasion_rings_under_its_own_event_type_with_its_own_words(
    plan: Plan, emit: Emit, outbox: Rows, occasion: OccasionAdded, due: dict[str, Any], priority: Priority
) -> None:
    await plan(occasion, build.user_created(user_id=occasion.user_id, **TOKYO))
    due_at = occasion.at or datetime(2026, 12, 10, tzinfo=UTC)  # 09:00 in Tokyo
    assert await emit(due_at - timedelta(microseconds=1)) == 0

    assert await emit(due_at + timedelta(seconds=90)) == 1

    [message] = await outbox()
    event_id, event = read(message["body"])
    assert (message["event_type"], message["priority"]) == (due["kind"].event_type, priority.rank)
    assert event_id == due_event_id(occasion.occasion_id, "2026-12-10")
    named = {} if occasion.name is None else {"name": occasion.name}
    assert event == due["kind"](
        occasion_id=occasion.occasion_id,
        user_id=occasion.user_id,
        local_date=date(2026, 12, 10),
        local_time=time(9),
        timezone="Asia/Tokyo",
        due_at=due_at,
        emitted_at=due_at + timedelta(seconds=90),
        late_by_seconds=90,
        priority=priority,
        message=due["message"],
        **named,
    )


@pytest.mark.parametrize(
    ("occasion", "dates"),
    [
        (
            build.occasion_added(date=date(2024, 2, 29), first_date="2027-02-29"),
            ["2027-02-28", "2028-02-29", "2029-02-28"],
        ),
        (build.reminder_added(), ["2026-12-10", "2026-12-11", "2026-12-12"]),
        (
            build.reminder_added(rrule="FREQ=MONTHLY;BYMONTHDAY=-1", last_date=date(2027, 1, 31)),
            ["2026-12-31", "2027-01-31"],
        ),
        (build.reminder_added(rrule=None), ["2026-12-10"]),
        (build.notification_added(), ["2026-12-10"]),
    ],
    ids=["leap day", "daily", "last days of months until January", "reminder once", "notification"],
)
async def test_every_date_of_a_rule_rings_once_and_the_last_one_is_the_end(
    plan: Plan, emit: Emit, outbox: Rows, admin: Connection, occasion: OccasionAdded, dates: list[str]
) -> None:
    await plan(occasion)
    # No birthday rings here.
    await plan(build.user_created(user_id=occasion.user_id, first_date="2050-01-01"))

    for _ in range(3):
        await emit(datetime(2029, 12, 31, tzinfo=UTC), batch=1)

    rung = [read(row["body"])[1] for row in await outbox()]
    assert [event.local_date.isoformat() for event in rung if isinstance(event, DueEvent)] == dates
    left = await admin.fetchval(
        "SELECT count(*) FROM schedule.occurrences WHERE status = 'PENDING' AND occasion_type <> 'BIRTHDAY'"
    )
    assert left == (1 if len(dates) == 3 else 0)


async def test_a_batch_of_every_kind_costs_the_same_statements_whatever_its_size(
    plan: Plan, emit: Emit, statements: list[str]
) -> None:
    costs = []
    for size in (1, 1, 100):  # asyncpg asks for some types when it meets them first
        users = [build.user_created(first_date="2050-01-01") for _ in range(size)]
        await plan(*users)
        for occasion in OF_EVERY_KIND:
            await plan(
                *(structs.replace(occasion, occasion_id=uuid4(), user_id=user.user_id) for user in users)
            )
        statements.clear()
        costs.append((await emit(RING), len(statements)))

    # BEGIN, pauses, claim, next dates, ends, append, COMMIT, and the pool's reset
    assert costs[1:] == [(3, 8), (300, 8)]
