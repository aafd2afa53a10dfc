import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import asyncpg
import pytest
from domain.events import BirthdayDue, UserNameChanged
from domain.occasion import LeapDayPolicy
from domain.priority import Priority
from messaging.envelope import read
from msgspec import structs
from runtime.database import Connection, Pool
from testkit import build

OpenPool = Callable[[], Awaitable[Pool]]
Plan = Callable[..., Coroutine[Any, Any, None]]
Emit = Callable[..., Awaitable[int]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]

RING = datetime(2026, 12, 10, 9, tzinfo=UTC)
SOON = timedelta(microseconds=1)


async def test_only_what_is_due_is_claimed_and_the_due_instant_itself_is_due(
    plan: Plan, emit: Emit, pending: Rows
) -> None:
    await plan(build.user_created(), build.user_created(date_of_birth=date(1990, 12, 11)))

    assert await emit(RING - SOON) == 0
    assert await emit(RING) == 1
    assert await emit(RING) == 0
    assert [row["nominal_date"] for row in await pending()] == ["2026-12-11", "2027-12-10"]


async def test_a_claim_leaves_the_ring_in_processing_next_years_row_and_one_message(
    plan: Plan, emit: Emit, pending: Rows, processing: Rows, outbox: Rows, admin: Connection
) -> None:
    user_id = UUID("0192d5f0-5b1e-7c3a-9f1d-3a5e8c2b4d61")
    occasion_id = uuid5(user_id, "birthday")
    await plan(build.user_created(user_id=user_id))

    await emit(RING + timedelta(seconds=90.9))

    [claimed], [following], [message] = await processing(), await pending(), await outbox()
    assert claimed["event_id"] == uuid5(occasion_id, "2026-12-10")
    assert claimed["emitted_at"] == RING + timedelta(seconds=90.9)
    assert abs(claimed["check_at"] - await admin.fetchval("SELECT now()")) < timedelta(minutes=16)
    assert (following["nominal_date"], following["after_date"]) == ("2027-12-10", "2026-12-10")
    assert following["event_id"] == uuid5(occasion_id, "2027-12-10")
    assert following["due_at"] == datetime(2027, 12, 10, 9, tzinfo=UTC)
    assert following["emitted_at"] is None
    assert (message["event_type"], message["priority"], message["group_id"]) == (
        "BirthdayDue",
        0,
        str(user_id),
    )
    assert read(message["body"]) == (
        claimed["event_id"],
        BirthdayDue(
            occasion_id=occasion_id,
            user_id=user_id,
            local_date=date(2026, 12, 10),
            local_time=claimed["send_at_local"],
            timezone="Europe/London",
            due_at=RING,
            emitted_at=RING + timedelta(seconds=90.9),
            late_by_seconds=90,
            priority=Priority.CRITICAL,
            message="Hey, Ada Lovelace it's your birthday",
        ),
    )


async def test_a_failure_in_the_middle_leaves_nothing_half_claimed(
    plan: Plan, emit: Emit, processing: Rows, pending: Rows, admin: Connection
) -> None:
    await plan(build.user_created())
    before = await pending()
    await admin.execute("REVOKE EXECUTE ON FUNCTION outbox.append FROM carillon_scheduler")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await emit(RING)

    assert (before, []) == (await pending(), await processing())
    await admin.execute("GRANT EXECUTE ON FUNCTION outbox.append TO carillon_scheduler")
    assert await emit(RING) == 1


async def test_schedulers_share_what_is_due_without_a_duplicate(
    plan: Plan, emit: Emit, open_pool: OpenPool, pending: Rows, outbox: Rows
) -> None:
    await plan(*(build.user_created() for _ in range(300)))
    shares: Counter[int] = Counter()

    async def work(number: int) -> None:
        own_pool = await open_pool()
        while sum(shares.values()) < 300:
            shares[number] += await emit(RING, batch=7, own_pool=own_pool)

    await asyncio.gather(work(1), work(2), work(3))

    assert sum(shares.values()) == 300
    assert len(shares) == 3
    assert len({row["event_id"] for row in await outbox()}) == 300
    assert Counter(row["nominal_date"] for row in await pending()) == {"2027-12-10": 300}


async def test_the_earliest_due_are_claimed_first(plan: Plan, emit: Emit, outbox: Rows) -> None:
    days = [date(1990, 12, day) for day in (12, 10, 11)]
    await plan(*(build.user_created(date_of_birth=day) for day in days))

    for _ in days:
        await emit(RING + timedelta(days=5), batch=1)

    rung = [read(row["body"])[1] for row in await outbox()]
    assert [event.local_date.day for event in rung if isinstance(event, BirthdayDue)] == [10, 11, 12]


@pytest.mark.parametrize(
    ("policy", "kept_on"),
    [
        (LeapDayPolicy.FEB_28, [("2027-02-29", date(2027, 2, 28)), ("2028-02-29", date(2028, 2, 29))]),
        (LeapDayPolicy.MAR_1, [("2027-02-29", date(2027, 3, 1)), ("2028-02-29", date(2028, 2, 29))]),
        (LeapDayPolicy.SKIP, [("2028-02-29", date(2028, 2, 29)), ("2032-02-29", date(2032, 2, 29))]),
    ],
)
async def test_a_leap_day_rings_where_its_policy_puts_it_once_a_year(
    plan: Plan,
    emit: Emit,
    processing: Rows,
    policy: LeapDayPolicy,
    kept_on: list[tuple[str, date]],
) -> None:
    await plan(build.user_created(date_of_birth=date(1992, 2, 29), leap_day_policy=policy))

    for nominal_date, local_date in kept_on:
        nine = datetime(local_date.year, local_date.month, local_date.day, 9, tzinfo=UTC)
        assert await emit(nine - SOON) == 0
        assert await emit(nine) == 1
        ring = (await processing())[-1]
        assert (ring["nominal_date"], ring["local_date"]) == (nominal_date, local_date)


async def test_what_was_missed_for_years_rings_once_a_date_and_never_waits_twice(
    plan: Plan, emit: Emit, pending: Rows, outbox: Rows, admin: Connection
) -> None:
    await plan(build.user_created(), build.user_created())

    while await emit(RING + timedelta(days=3 * 365)):
        counts = await admin.fetch(
            "SELECT count(*) FROM schedule.occurrences WHERE status = 'PENDING' GROUP BY occasion_id"
        )
        assert [row["count"] for row in counts] == [1, 1]

    assert len({row["event_id"] for row in await outbox()}) == 6
    assert {row["nominal_date"] for row in await pending()} == {"2029-12-10"}


async def test_a_batch_costs_the_same_statements_whatever_its_size(
    plan: Plan, emit: Emit, statements: list[str]
) -> None:
    await plan(*(build.user_created() for _ in range(402)))
    await emit(RING, batch=1)  # asyncpg asks for some types when it meets them first
    costs = []
    for batch in (1, 400):
        statements.clear()
        assert await emit(RING, batch=batch) == batch
        costs.append(len(statements))

    # BEGIN, pauses, claim, next dates, append, COMMIT, and the pool's reset
    assert costs == [7, 7]


async def test_planning_costs_the_same_statements_whatever_the_batch(
    plan: Plan, statements: list[str]
) -> None:
    await plan(build.user_created())  # asyncpg asks for some types when it meets them first
    costs = []
    for users in (1, 400):
        created = [build.user_created() for _ in range(users)]
        renamed = [
            UserNameChanged(**structs.asdict(structs.replace(user, version=2, first_name="Augusta")))
            for user in created
        ]
        for batch in (created, renamed):
            statements.clear()
            await plan(*batch)
            costs.append(len(statements))

    # BEGIN, clock, users, their occasions, PENDING rows, what is told of them, COMMIT, and the pool's reset;
    # a user known has PENDING rows to lock, by asking twice, and here nothing new to tell
    assert costs == [8, 9, 8, 9]
