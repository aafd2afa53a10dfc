import itertools
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

import asyncpg
import pytest
from domain.due_dates import first_date
from domain.events import (
    Event,
    UserBirthdayChanged,
    UserNameChanged,
    UserState,
    UserTimezoneChanged,
)
from domain.occasion import LeapDayPolicy
from domain.occasion_rule import birthday_of
from domain.zones import TZ_DATABASE_VERSION
from msgspec import structs
from runtime.database import Connection
from testkit import build

Plan = Callable[..., Coroutine[Any, Any, None]]
Emit = Callable[..., Awaitable[int]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]

RING = datetime(2026, 12, 10, 9, tzinfo=UTC)


def changed(kind: type[UserState], before: UserState, **changes: object) -> UserState:
    """The next event of a user: one version on, its first date as the user API decides it."""
    after = structs.asdict(before) | {"version": before.version + 1} | changes
    new, old = birthday_of(kind(**after)), birthday_of(before)
    after["first_date"] = first_date(new, old, before.first_date, changed_at=after["occurred_at"])
    return kind(**after)


async def test_a_created_user_is_planned_once(plan: Plan, pending: Rows) -> None:
    user_id = UUID("0192d5f0-5b1e-7c3a-9f1d-3a5e8c2b4d61")

    await plan(build.user_created(user_id=user_id, send_at_local=time(8, 30), timezone="Asia/Tokyo"))

    occasion_id = uuid5(user_id, "birthday")
    [row] = await pending()
    assert dict(row) == {
        "event_id": uuid5(occasion_id, "2026-12-10"),
        "occasion_id": occasion_id,
        "occasion_type": "BIRTHDAY",
        "user_id": user_id,
        "status": "PENDING",
        "priority": 0,
        "nominal_date": "2026-12-10",
        "after_date": None,
        "local_date": date(2026, 12, 10),
        "send_at_local": time(8, 30),
        "timezone": "Asia/Tokyo",
        "anchor_date": date(1990, 12, 10),
        "leap_day_policy": "feb_28",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "name": None,
        "message": None,
        "rrule": None,
        "last_date": None,
        "occasion_version": None,
        "due_at": datetime(2026, 12, 9, 23, 30, tzinfo=UTC),
        "ripe_at": datetime(2026, 12, 9, 23, 30, tzinfo=UTC),
        "planned_at": row["planned_at"],  # by the clock
        "tz_database": TZ_DATABASE_VERSION,
        "jitter_seconds": 0,
        "parked": None,
        "unanswered": 0,
        "user_version": 1,
        "emitted_at": None,
        "check_at": None,
        "traceparent": None,
    }


async def test_one_created_with_the_moment_already_past_rings_next_year(plan: Plan, pending: Rows) -> None:
    await plan(build.user_created(occurred_at=RING + timedelta(seconds=1)))

    [row] = await pending()
    assert row["nominal_date"] == "2027-12-10"


async def test_one_created_before_the_moment_and_heard_of_after_it_rings_late_not_never(
    plan: Plan, emit: Emit, pending: Rows, processing: Rows
) -> None:
    await plan(build.user_created(occurred_at=RING - timedelta(minutes=1)))

    assert await emit(RING + timedelta(hours=3)) == 1
    assert [row["nominal_date"] for row in await processing()] == ["2026-12-10"]
    assert [row["nominal_date"] for row in await pending()] == ["2027-12-10"]


async def test_events_repeated_in_one_batch_and_in_the_next_change_nothing(
    plan: Plan, pending: Rows, admin: Connection
) -> None:
    created = build.user_created()
    renamed = changed(UserNameChanged, created, first_name="Augusta")
    await plan(created, renamed, created, renamed)
    once = await pending(), await admin.fetch("SELECT *, xmin FROM schedule.users")

    await plan(renamed, created)

    assert once == (await pending(), await admin.fetch("SELECT *, xmin FROM schedule.users"))
    assert [row["first_name"] for row in await pending()] == ["Augusta"]


def lifetime(user_id: UUID) -> list[Event]:
    """Five events of one user whose last leaves a PENDING row; each moves its date, its hour or its words."""
    created = build.user_created(user_id=user_id, date_of_birth=date(1992, 2, 29))
    birthday = changed(UserBirthdayChanged, created, date_of_birth=date(1992, 12, 10))
    moved = changed(UserTimezoneChanged, birthday, timezone="Pacific/Auckland")
    renamed = changed(UserNameChanged, moved, last_name="King")
    later = changed(
        UserBirthdayChanged, renamed, send_at_local=time(23, 59), occurred_at=RING + timedelta(days=1)
    )
    return [created, birthday, moved, renamed, later]


ORDERS = list(itertools.permutations(range(5)))


@pytest.mark.parametrize("deleted", [False, True])
async def test_every_order_of_a_users_events_ends_in_the_same_rows(
    plan: Plan, admin: Connection, *, deleted: bool
) -> None:
    users = [uuid4() for _ in ORDERS]
    lifetimes = [
        [*lifetime(user_id)[:4], build.user_deleted(user_id, version=5)] if deleted else lifetime(user_id)
        for user_id in users
    ]

    for turn in range(5):  # a batch holds one event of each user, each user's in another order
        await plan(*(events[order[turn]] for events, order in zip(lifetimes, ORDERS, strict=True)))

    ends = await admin.fetch(
        "SELECT version, known.first_name, known.last_name, known.timezone, known.first_date,"
        " deleted_at IS NOT NULL AS deleted, nominal_date, after_date, due_at, user_version"
        " FROM schedule.users AS known LEFT JOIN schedule.occurrences ON user_id = known.id"
    )
    state = (None,) * 4 if deleted else ("Ada", "King", "Pacific/Auckland", "2026-12-10")
    row = (None,) * 4 if deleted else ("2026-12-10", None, datetime(2026, 12, 10, 10, 59, tzinfo=UTC), 5)
    assert len(ends) == 120
    assert {tuple(end) for end in ends} == {(5, *state, deleted, *row)}


async def test_a_deletion_heard_of_first_leaves_a_tombstone_and_nothing_is_planned(
    plan: Plan, pending: Rows, history: Rows, admin: Connection
) -> None:
    created = build.user_created()

    await plan(build.user_deleted(created.user_id))
    await plan(created)

    [known] = await admin.fetch("SELECT * FROM schedule.users")
    assert (known["version"], known["deleted_at"], known["first_name"]) == (2, build.NOW, None)
    assert (await pending(), await history()) == ([], [])


async def test_a_deletion_moves_the_pending_row_to_history_as_cancelled(
    plan: Plan, pending: Rows, history: Rows
) -> None:
    created, other = build.user_created(), build.user_created()
    await plan(created, other)

    await plan(build.user_deleted(created.user_id))

    assert [row["user_id"] for row in await pending()] == [other.user_id]
    [over] = await history()
    assert (over["user_id"], over["status"], over["due_at"], over["emitted_at"]) == (
        created.user_id,
        "CANCELLED",
        RING,
        None,
    )
    assert "first_name" not in over


async def test_what_was_emitted_before_the_deletion_stays_in_processing(
    plan: Plan, emit: Emit, processing: Rows, history: Rows
) -> None:
    created = build.user_created()
    await plan(created)
    await emit(RING)

    await plan(build.user_deleted(created.user_id))

    assert [row["nominal_date"] for row in await processing()] == ["2026-12-10"]
    assert [(row["nominal_date"], row["status"]) for row in await history()] == [("2027-12-10", "CANCELLED")]


async def test_moving_west_on_the_day_after_the_ring_does_not_ring_again(
    plan: Plan, emit: Emit, pending: Rows
) -> None:
    created = build.user_created()
    await plan(created)
    await emit(RING)

    await plan(
        changed(
            UserTimezoneChanged,
            created,
            timezone="America/Los_Angeles",
            occurred_at=RING + timedelta(minutes=5),
        )
    )

    assert await emit(RING + timedelta(days=2)) == 0
    [row] = await pending()
    assert (row["nominal_date"], row["after_date"], row["timezone"]) == (
        "2027-12-10",
        "2026-12-10",
        "America/Los_Angeles",
    )


async def test_moving_east_past_the_moment_before_the_ring_keeps_the_date_and_is_due_now(
    plan: Plan, emit: Emit, pending: Rows
) -> None:
    created = build.user_created()
    await plan(created)
    now = datetime(2026, 12, 10, 5, tzinfo=UTC)

    await plan(changed(UserTimezoneChanged, created, timezone="Asia/Tokyo", occurred_at=now))

    [row] = await pending()
    assert (row["nominal_date"], row["due_at"]) == ("2026-12-10", datetime(2026, 12, 10, tzinfo=UTC))
    assert await emit(now) == 1


async def test_a_birthday_set_back_to_the_date_just_rung_is_next_years(
    plan: Plan, emit: Emit, pending: Rows
) -> None:
    created = build.user_created()
    later = RING + timedelta(hours=1)
    wrong = changed(UserBirthdayChanged, created, date_of_birth=date(1990, 12, 11), occurred_at=later)
    right = changed(UserBirthdayChanged, wrong, date_of_birth=date(1990, 12, 10), occurred_at=later)
    await plan(created)
    await emit(RING)

    await plan(wrong)
    assert [row["nominal_date"] for row in await pending()] == ["2026-12-11"]
    await plan(right)

    assert [row["nominal_date"] for row in await pending()] == ["2027-12-10"]


@pytest.mark.parametrize(
    ("wrong", "policy", "right", "nine"),
    [
        (date(1992, 2, 29), LeapDayPolicy.MAR_1, date(1992, 3, 1), datetime(2027, 3, 1, 9, tzinfo=UTC)),
        (date(1992, 2, 28), LeapDayPolicy.FEB_28, date(1992, 2, 29), datetime(2027, 2, 28, 9, tzinfo=UTC)),
    ],
)
async def test_a_leap_day_corrected_to_the_day_it_is_kept_on_does_not_ring_that_day_again(
    plan: Plan, emit: Emit, pending: Rows, wrong: date, policy: LeapDayPolicy, right: date, nine: datetime
) -> None:
    created = build.user_created(
        date_of_birth=wrong, leap_day_policy=policy, occurred_at=nine - timedelta(days=9)
    )
    await plan(created)
    assert await emit(nine) == 1

    ten = nine + timedelta(hours=1)  # and by the corrected hour it would ring at 18:00
    await plan(
        changed(UserBirthdayChanged, created, date_of_birth=right, send_at_local=time(18), occurred_at=ten)
    )

    assert await emit(nine + timedelta(days=1)) == 0
    [row] = await pending()
    assert row["nominal_date"][:4] == "2028"


async def test_an_event_that_has_no_place_here_writes_nothing(plan: Plan, admin: Connection) -> None:
    with pytest.raises(TypeError, match="not an event of a user or an occasion: BirthdayDue"):
        await plan(build.user_created(), build.birthday_due())

    assert await admin.fetch("SELECT * FROM schedule.users") == []
