import itertools
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from domain.events import (
    Event,
    OccasionAdded,
    OccasionChanged,
    OccasionState,
    UserBirthdayChanged,
    UserNameChanged,
    UserState,
    UserTimezoneChanged,
)
from domain.ids import due_event_id
from domain.occasion import LeapDayPolicy
from domain.priority import Priority
from domain.zones import TZ_DATABASE_VERSION
from msgspec import structs
from runtime.database import Connection
from testkit import build

Plan = Callable[..., Coroutine[Any, Any, None]]
Emit = Callable[..., Awaitable[int]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]

RING = datetime(2026, 12, 10, 9, tzinfo=UTC)
DAY = timedelta(days=1)
XMAS = date(1990, 12, 25)
NEXT = """
    SELECT nominal_date, local_date, leap_day_policy FROM schedule.occurrences
    WHERE occasion_id = $1 AND status = 'PENDING'
"""
LAST_DAY = {"rrule": "FREQ=DAILY", "last_date": date(2026, 12, 11)}


def moved(user: UserState, timezone: str) -> UserTimezoneChanged:
    return UserTimezoneChanged(
        **structs.asdict(structs.replace(user, version=user.version + 1, timezone=timezone))
    )


def changed(occasion: OccasionState, **changes: object) -> OccasionChanged:
    return OccasionChanged(**structs.asdict(occasion) | {"version": occasion.version + 1} | changes)


async def test_an_anniversary_is_planned_with_all_that_a_claim_reads(plan: Plan, pending: Rows) -> None:
    user = build.user_created(timezone="Asia/Tokyo", leap_day_policy=LeapDayPolicy.MAR_1)
    wedding = build.occasion_added(user_id=user.user_id, version=3, send_at_local=time(8, 30))

    await plan(user, wedding)

    row, _ = await pending()  # the other is the birthday
    assert dict(row) == {
        "event_id": due_event_id(wedding.occasion_id, "2026-06-01"),
        "occasion_id": wedding.occasion_id,
        "occasion_type": "ANNIVERSARY",
        "user_id": user.user_id,
        "status": "PENDING",
        "priority": 1,
        "nominal_date": "2026-06-01",
        "after_date": None,
        "local_date": date(2026, 6, 1),
        "send_at_local": time(8, 30),
        "timezone": "Asia/Tokyo",
        "anchor_date": date(2019, 6, 1),
        "leap_day_policy": "mar_1",
        "rrule": None,
        "last_date": None,
        "first_name": "Ada",
        "last_name": "Lovelace",
        "name": "wedding",
        "message": None,
        "due_at": datetime(2026, 5, 31, 23, 30, tzinfo=UTC),
        "ripe_at": datetime(2026, 5, 31, 23, 30, tzinfo=UTC),
        "planned_at": row["planned_at"],  # by the clock
        "tz_database": TZ_DATABASE_VERSION,
        "jitter_seconds": 0,
        "parked": None,
        "unanswered": 0,
        "user_version": 1,
        "occasion_version": 3,
        "emitted_at": None,
        "check_at": None,
        "traceparent": None,
    }


@pytest.mark.parametrize(
    ("occasion", "planned"),
    [
        (
            build.reminder_added(**LAST_DAY),
            {
                "due_at": RING - timedelta(hours=10),  # 08:00 in Tokyo
                "local_date": date(2026, 12, 10),
                "send_at_local": time(8),
                "anchor_date": date(2026, 12, 10),
                "rrule": "FREQ=DAILY",
                "last_date": date(2026, 12, 11),
                "message": "Water the plants",
                "priority": 2,
            },
        ),
        (
            build.notification_added(
                at=RING + timedelta(hours=8, microseconds=1), priority=Priority.CRITICAL
            ),
            {
                "due_at": RING + timedelta(hours=8, microseconds=1),
                "nominal_date": "2026-12-10",
                "local_date": date(2026, 12, 11),
                "send_at_local": time(2),
                "message": "Your trial ends tomorrow",
                "priority": 0,
            },
        ),
    ],
    ids=["reminder", "notification"],
)
async def test_a_reminder_is_planned_in_local_time_and_a_notification_at_its_instant(
    plan: Plan, admin: Connection, occasion: OccasionAdded, planned: dict[str, Any]
) -> None:
    user = build.user_created(user_id=occasion.user_id)

    await plan(occasion, user)
    await plan(moved(user, "Asia/Tokyo"))

    row = await admin.fetchrow(
        "SELECT * FROM schedule.occurrences WHERE occasion_id = $1", occasion.occasion_id
    )
    assert row is not None
    assert {name: row[name] for name in planned} == planned
    assert (row["timezone"], row["user_version"], row["occasion_version"]) == ("Asia/Tokyo", 2, 1)


async def test_an_occasion_whose_user_is_unknown_waits_for_them(plan: Plan, pending: Rows) -> None:
    reminder = build.reminder_added()

    await plan(reminder)
    assert await pending() == []
    await plan(build.user_created(user_id=reminder.user_id, timezone="Asia/Tokyo"))

    row, _ = await pending()
    assert row["occasion_id"] == reminder.occasion_id


def policy_changed(user: UserState, policy: LeapDayPolicy, at: datetime) -> UserBirthdayChanged:
    after = structs.replace(user, version=user.version + 1, leap_day_policy=policy, occurred_at=at)
    return UserBirthdayChanged(**structs.asdict(after))


@pytest.mark.parametrize("heard_first", ["user", "occasion"])
async def test_another_leap_day_policy_rings_for_no_year_past_whichever_event_of_it_is_heard_first(
    plan: Plan, emit: Emit, admin: Connection, heard_first: str
) -> None:
    user = build.user_created(leap_day_policy=LeapDayPolicy.SKIP, first_date="2040-12-10")
    wedding = build.occasion_added(
        user_id=user.user_id,
        date=date(2020, 2, 29),
        first_date="2028-02-29",
        leap_day_policy=LeapDayPolicy.SKIP,
    )
    await plan(user, wedding)
    assert await emit(datetime(2028, 2, 29, 9, tzinfo=UTC)) == 1

    at = datetime(2030, 2, 10, 12, tzinfo=UTC)
    kept = LeapDayPolicy.FEB_28
    of_user = policy_changed(user, kept, at)
    of_wedding = changed(wedding, first_date="2030-02-29", leap_day_policy=kept, occurred_at=at)
    for event in (of_user, of_wedding) if heard_first == "user" else (of_wedding, of_user):
        await plan(event)
        assert await emit(at) == 0

    row = await admin.fetchrow(NEXT, wedding.occasion_id)
    assert row is not None
    assert tuple(row) == ("2030-02-29", date(2030, 2, 28), "feb_28")


async def test_an_anniversary_whose_events_tell_no_leap_day_policy_is_kept_by_its_users(
    plan: Plan, admin: Connection
) -> None:
    user = build.user_created(leap_day_policy=LeapDayPolicy.MAR_1)
    wedding = build.occasion_added(user_id=user.user_id, date=date(2020, 2, 29), first_date="2027-02-29")

    await plan(user, wedding)
    before = await admin.fetchrow(NEXT, wedding.occasion_id)
    await plan(policy_changed(user, LeapDayPolicy.FEB_28, user.occurred_at))
    after = await admin.fetchrow(NEXT, wedding.occasion_id)

    assert before is not None
    assert after is not None
    assert tuple(before) == ("2027-02-29", date(2027, 3, 1), "mar_1")
    assert tuple(after) == ("2027-02-29", date(2027, 2, 28), "feb_28")


async def test_an_anniversary_moved_from_a_leap_day_is_known_by_no_policy_any_more(
    plan: Plan, admin: Connection
) -> None:
    user = build.user_created(leap_day_policy=LeapDayPolicy.MAR_1)
    wedding = build.occasion_added(
        user_id=user.user_id,
        date=date(2020, 2, 29),
        first_date="2027-02-29",
        leap_day_policy=LeapDayPolicy.SKIP,
    )

    await plan(user, wedding)
    assert await admin.fetchval("SELECT leap_day_policy FROM schedule.occasions") == "skip"
    await plan(changed(wedding, date=date(2020, 2, 28), first_date="2027-02-28", leap_day_policy=None))

    assert await admin.fetchval("SELECT leap_day_policy FROM schedule.occasions") is None


def lives() -> list[Event]:
    """Two events of a user and three of two occasions of theirs, which leave three PENDING rows."""
    user = build.user_created(user_id=uuid4())
    reminder = build.reminder_added(user_id=user.user_id)
    later = changed(reminder, message="Water them now", rrule="FREQ=WEEKLY", first_date="2026-12-17")
    return [
        user,
        moved(user, "Pacific/Auckland"),
        reminder,
        later,
        build.occasion_added(user_id=user.user_id),
    ]


def removed(events: list[Event]) -> list[Event]:
    reminder = events[2]
    assert isinstance(reminder, OccasionAdded)
    return [*events[:4], build.occasion_removed(reminder, version=3)]


def deleted(events: list[Event]) -> list[Event]:
    user = events[0]
    assert isinstance(user, UserState)
    return [*events[:4], build.user_deleted(user.user_id, version=3)]


ORDERS = list(itertools.permutations(range(5)))
ENDS: dict[Callable[[list[Event]], list[Event]], tuple[set[tuple[object, ...]], set[tuple[object, ...]]]] = {
    list: (
        {
            ("REMINDER", 2, False, "Water them now", "2026-12-17"),
            ("ANNIVERSARY", 1, False, None, "2026-06-01"),
        },
        {
            ("BIRTHDAY", "2026-12-10", datetime(2026, 12, 9, 20, tzinfo=UTC), 2, None),
            ("REMINDER", "2026-12-17", datetime(2026, 12, 16, 19, tzinfo=UTC), 2, 2),
            ("ANNIVERSARY", "2026-06-01", datetime(2026, 5, 31, 21, tzinfo=UTC), 2, 1),
        },
    ),
    removed: (
        {(None, 3, True, None, None)},
        {("BIRTHDAY", "2026-12-10", datetime(2026, 12, 9, 20, tzinfo=UTC), 2, None)},
    ),
    deleted: (set(), set()),
}


@pytest.mark.parametrize("end", ENDS)
async def test_every_order_of_a_users_and_their_occasions_events_ends_in_the_same_rows(
    plan: Plan, admin: Connection, end: Callable[[list[Event]], list[Event]]
) -> None:
    all_lives = [end(lives()) for _ in [*ORDERS, None]]

    await plan(*all_lives[-1])  # in one batch
    for turn in range(5):  # a batch holds one event of each life, each in another order
        await plan(*(events[order[turn]] for events, order in zip(all_lives, ORDERS, strict=False)))
    rows = await everything(admin)
    await plan(*(event for events in all_lives for event in events))

    occasions, planned = ENDS[end]
    assert {tuple(row)[1:] for row in rows["occasions"]} == occasions
    assert len(rows["occasions"]) == 121 * len(occasions)
    assert {tuple(row)[1:] for row in rows["planned"]} == planned
    assert len(rows["planned"]) == 121 * len(planned)
    assert rows == await everything(admin)


async def everything(admin: Connection) -> dict[str, list[asyncpg.Record]]:
    return {
        "occasions": await admin.fetch(
            "SELECT id, type, version, removed, message, first_date FROM schedule.occasions ORDER BY id"
        ),
        "planned": await admin.fetch(
            "SELECT event_id, occasion_type, nominal_date, due_at, user_version, occasion_version"
            " FROM schedule.occurrences ORDER BY event_id"
        ),
        "users": await admin.fetch("SELECT * FROM schedule.users ORDER BY id"),
        "history": await admin.fetch("SELECT * FROM schedule.history ORDER BY event_id"),
    }


@pytest.mark.parametrize(
    "occasion", [build.notification_added(), build.reminder_added(rrule=None)], ids=lambda one: one.type
)
async def test_a_one_off_rings_once_whatever_is_heard_of_it_later(
    plan: Plan, emit: Emit, pending: Rows, admin: Connection, occasion: OccasionAdded
) -> None:
    user = build.user_created(user_id=occasion.user_id, date_of_birth=XMAS)
    await plan(user, occasion)
    assert await emit(RING + DAY) == 1
    await admin.execute("DELETE FROM schedule.occurrences WHERE status = 'PROCESSING'")

    await plan(occasion)
    await plan(moved(user, "America/Los_Angeles"))
    await plan(changed(occasion, message="Again"))

    assert await emit(RING + 2 * DAY) == 0
    assert [row["occasion_type"] for row in await pending()] == ["BIRTHDAY"]


async def test_a_rule_that_ended_goes_on_after_its_last_ring_when_it_is_changed(
    plan: Plan, emit: Emit, pending: Rows
) -> None:
    reminder = build.reminder_added(**LAST_DAY)
    await plan(build.user_created(user_id=reminder.user_id, date_of_birth=XMAS), reminder)
    for day in range(2):
        assert await emit(RING + day * DAY, batch=1) == 1

    assert [row["occasion_type"] for row in await pending()] == ["BIRTHDAY"]
    await plan(changed(reminder, last_date=None))

    row, _ = await pending()
    assert (row["nominal_date"], row["after_date"]) == ("2026-12-12", "2026-12-11")


async def test_a_change_that_leaves_no_date_cancels_and_what_rang_stays_rung(
    plan: Plan, emit: Emit, pending: Rows, history: Rows
) -> None:
    reminder = build.reminder_added()
    await plan(build.user_created(user_id=reminder.user_id, date_of_birth=XMAS), reminder)
    await emit(RING, batch=1)

    ended = changed(reminder, last_date=date(2026, 12, 10))
    await plan(ended)
    assert [row["occasion_type"] for row in await pending()] == ["BIRTHDAY"]
    assert [
        (row["occasion_id"], row["nominal_date"], row["status"], row["failure_reason"])
        for row in await history()
    ] == [(reminder.occasion_id, "2026-12-11", "CANCELLED", "no date is left")]
    await plan(changed(ended, last_date=None))

    row, _ = await pending()
    assert (row["nominal_date"], row["after_date"]) == ("2026-12-11", "2026-12-10")


async def test_a_removal_cancels_the_occasion_and_nothing_else_of_its_user(
    plan: Plan, pending: Rows, history: Rows
) -> None:
    user = build.user_created()
    doomed, kept = build.reminder_added(user_id=user.user_id), build.notification_added(user_id=user.user_id)
    await plan(user, doomed, kept)

    await plan(build.occasion_removed(doomed))

    assert {row["occasion_type"] for row in await pending()} == {"BIRTHDAY", "NOTIFICATION"}
    [over] = await history()
    assert (over["occasion_id"], over["status"], over["failure_reason"]) == (
        doomed.occasion_id,
        "CANCELLED",
        "occasion removed",
    )


async def test_a_name_changed_is_said_by_every_occasion_of_the_user(plan: Plan, pending: Rows) -> None:
    user = build.user_created()
    await plan(user, build.occasion_added(user_id=user.user_id))

    await plan(UserNameChanged(**structs.asdict(structs.replace(user, version=2, first_name="Augusta"))))

    assert [row["first_name"] for row in await pending()] == ["Augusta", "Augusta"]


@pytest.mark.parametrize(
    "changes", [{"rrule": "FREQ=SECONDLY"}, {"message": None}, {"local_date_time": None}], ids=repr
)
async def test_a_state_that_nobody_can_plan_is_not_kept_and_holds_up_nobody(
    plan: Plan, admin: Connection, changes: dict[str, Any]
) -> None:
    bad = build.reminder_added(**changes)

    with pytest.raises(ValueError, match=r"."):
        await plan(bad)
    await plan(build.user_created(user_id=bad.user_id))

    assert await admin.fetch("SELECT * FROM schedule.occasions") == []
    assert len(await admin.fetch("SELECT * FROM schedule.occurrences")) == 1


async def test_planning_occasions_costs_the_same_statements_whatever_the_batch(
    plan: Plan, statements: list[str]
) -> None:
    def batch(size: int) -> list[Event]:
        users = [build.user_created() for _ in range(size)]
        return [*users, *(build.reminder_added(user_id=user.user_id) for user in users)]

    await plan(*batch(1))  # asyncpg asks for some types when it meets them first
    costs = []
    for size in (1, 200):
        statements.clear()
        await plan(*batch(size))
        costs.append(len(statements))

    assert costs == [11, 11]
