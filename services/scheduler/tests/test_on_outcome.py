import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from domain.events import DeliveryResult, Event, OccurrenceCompleted, OccurrenceFailed, OccurrenceProgress
from messaging.consume import Received
from runtime.database import Connection
from scheduler.on_outcome import on_outcomes
from testkit import build

OpenPool = Callable[[], Awaitable[asyncpg.Pool]]
Plan = Callable[..., Coroutine[Any, Any, None]]
Emit = Callable[..., Awaitable[int]]
Hear = Callable[..., Awaitable[None]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]

RING = datetime(2026, 12, 10, 9, tzinfo=UTC)
USER = UUID("0192d5f0-5b1e-7c3a-9f1d-3a5e8c2b4d61")
ENDPOINT = UUID("00000000-0000-8000-8000-000000000001")


def completed(event_id: UUID) -> OccurrenceCompleted:
    result = DeliveryResult(endpoint_id=ENDPOINT, status="delivered", attempts=1)
    return OccurrenceCompleted(due_event_id=event_id, user_id=USER, occurred_at=RING, results=(result,))


def failed(event_id: UUID, reason: str = "HTTP 404") -> OccurrenceFailed:
    return OccurrenceFailed(due_event_id=event_id, user_id=USER, occurred_at=RING, results=(), reason=reason)


def progress(event_id: UUID, check_at: datetime) -> OccurrenceProgress:
    return OccurrenceProgress(due_event_id=event_id, user_id=USER, occurred_at=RING, check_at=check_at)


@pytest.fixture
async def rung(plan: Plan, emit: Emit, processing: Rows) -> list[UUID]:
    """Ring three birthdays and return their events' ids."""
    await plan(*(build.user_created() for _ in range(3)))
    await emit(RING)
    return [row["event_id"] for row in await processing()]


async def test_an_answer_moves_the_occurrence_to_history(
    rung: list[UUID], hear: Hear, processing: Rows, history: Rows, admin: Connection
) -> None:
    good, bad, unanswered = rung

    await hear(completed(good), failed(bad))

    assert [row["event_id"] for row in await processing()] == [unanswered]
    over = {row["event_id"]: row for row in await history()}
    assert {event_id: (row["status"], row["failure_reason"]) for event_id, row in over.items()} == {
        good: ("COMPLETED", None),
        bad: ("FAILED", "HTTP 404"),
    }
    assert (over[good]["nominal_date"], over[good]["due_at"], over[good]["emitted_at"]) == (
        "2026-12-10",
        RING,
        RING,
    )
    assert await admin.fetchval("SELECT now()") - over[good]["finished_at"] < timedelta(seconds=30)


async def test_the_next_date_stays_planned_whatever_the_answer(
    rung: list[UUID], hear: Hear, pending: Rows
) -> None:
    await hear(completed(rung[0]), failed(rung[1]))

    assert [row["nominal_date"] for row in await pending()] == ["2027-12-10"] * 3


async def test_the_first_answer_wins_within_a_batch_and_after_it(
    rung: list[UUID], hear: Hear, history: Rows
) -> None:
    await hear(failed(rung[0]), completed(rung[0]), failed(rung[0], "HTTP 410"))
    once = await history()
    await hear(completed(rung[0]), progress(rung[0], RING + timedelta(days=365)))

    assert once == await history()
    assert [(row["status"], row["failure_reason"]) for row in once] == [("FAILED", "HTTP 404")]


async def test_answers_to_what_nobody_asked_change_nothing(
    rung: list[UUID], hear: Hear, pending: Rows, processing: Rows, history: Rows
) -> None:
    before = await pending(), await processing()
    planned = before[0][0]["event_id"]  # an answer to what has not rung yet

    await hear(completed(uuid4()), failed(planned), progress(planned, RING), progress(uuid4(), RING))

    assert before == (await pending(), await processing())
    assert len(rung) == 3
    assert await history() == []


async def test_progress_moves_the_next_check_forward_and_never_back(
    rung: list[UUID], hear: Hear, admin: Connection
) -> None:
    async def check_at() -> datetime:
        at: datetime = await admin.fetchval(
            "SELECT check_at FROM schedule.occurrences WHERE event_id = $1", rung[0]
        )
        return at

    first = await check_at()
    await hear(progress(rung[0], first + timedelta(hours=2)))
    assert await check_at() == first + timedelta(hours=2)
    await hear(progress(rung[0], first + timedelta(hours=1)))
    assert await check_at() == first + timedelta(hours=2)


async def test_of_two_progresses_in_one_batch_the_later_check_counts(
    rung: list[UUID], hear: Hear, processing: Rows
) -> None:
    late, early = RING + timedelta(days=4000), RING + timedelta(days=3000)

    await hear(progress(rung[0], late), progress(rung[0], early))
    await hear(progress(rung[1], early), progress(rung[1], late))

    checks = {row["event_id"]: row["check_at"] for row in await processing()}
    assert (checks[rung[0]], checks[rung[1]]) == (late, late)


async def test_an_event_that_is_no_answer_writes_nothing(rung: list[UUID], hear: Hear, history: Rows) -> None:
    with pytest.raises(TypeError, match="not an answer to a due event: UserDeleted"):
        await hear(completed(rung[0]), build.user_deleted(USER))

    assert await history() == []


async def test_a_batch_of_answers_costs_the_same_statements_whatever_its_size(
    plan: Plan, emit: Emit, processing: Rows, hear: Hear, statements: list[str]
) -> None:
    await plan(*(build.user_created() for _ in range(402)))
    await emit(RING)
    ids = [row["event_id"] for row in await processing()]
    await hear(completed(ids[0]), progress(ids[1], RING))
    costs = []
    for batch in (ids[1:2], ids[2:]):
        statements.clear()
        await hear(*map(completed, batch))
        costs.append(len(statements))

    assert costs == [5, 5]


async def test_schedulers_with_the_same_answers_in_any_order_never_deadlock(
    plan: Plan, emit: Emit, open_pool: OpenPool, processing: Rows, history: Rows
) -> None:
    await plan(*(build.user_created() for _ in range(400)))
    await emit(RING)
    ids = [row["event_id"] for row in await processing()]
    pools = [await open_pool() for _ in range(2)]

    async def answer(pool: asyncpg.Pool, events: list[Event]) -> None:
        await on_outcomes(pool, [Received(event_id=uuid4(), event=event, receipt="") for event in events])

    late = RING + timedelta(days=4000)
    await asyncio.gather(
        answer(pools[0], [*map(completed, ids[:200]), *(progress(one, late) for one in ids[200:])]),
        answer(
            pools[1],
            [*map(completed, reversed(ids[200:])), *(progress(one, late) for one in reversed(ids[:200]))],
        ),
    )

    assert len(await history()) == 400
