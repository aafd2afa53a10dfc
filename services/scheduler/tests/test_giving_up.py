"""What nobody answers ends too: FAILED, with the reason, which everybody hears."""

from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid5

import asyncpg
import pytest
from domain.events import OccurrenceFailed, OccurrenceProgress
from messaging.envelope import read
from messaging.topology import Topology
from runtime.database import Connection, Pool
from scheduler.emit_again import emit_unanswered
from testkit import build

Plan = Callable[..., Coroutine[Any, Any, None]]
Emit = Callable[..., Awaitable[int]]
Hear = Callable[..., Awaitable[None]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]
Ask = Callable[[], Awaitable[int]]

RING = datetime(2026, 12, 10, 9, tzinfo=UTC)
OFFSET = timedelta(days=365)


@pytest.fixture
def ask(pool: Pool, topology: Topology, admin: Connection) -> Ask:
    """Let every check pass, and emit again or give up after three times."""

    async def ask_again() -> int:
        await admin.execute("UPDATE schedule.occurrences SET check_at = now() WHERE status = 'PROCESSING'")
        return await emit_unanswered(
            pool, topology, batch=10, check_after=timedelta(minutes=15), give_up_after=3, offset=OFFSET
        )

    return ask_again


async def test_after_so_many_silences_it_is_failed_and_the_scheduler_says_so(
    plan: Plan, emit: Emit, ask: Ask, outbox: Rows, history: Rows, processing: Rows, admin: Connection
) -> None:
    user = build.user_created()
    await plan(user)
    await emit(RING)

    assert [await ask() for _ in range(5)] == [1, 1, 1, 1, 0]

    *rings, told = await outbox()
    [over] = await history()
    reason = "no answer to 3 re-emissions"
    assert [row["event_type"] for row in rings] == ["BirthdayDue"] * 4
    assert (over["status"], over["failure_reason"], await processing()) == ("FAILED", reason, [])
    event_id, event = read(told["body"])
    assert isinstance(event, OccurrenceFailed)
    assert event_id == uuid5(over["event_id"], "OccurrenceFailed")
    assert (event.due_event_id, event.user_id, event.results) == (over["event_id"], user.user_id, ())
    assert event.reason == reason
    assert abs(event.occurred_at - OFFSET - await admin.fetchval("SELECT now()")) < timedelta(minutes=1)


async def test_a_sign_of_progress_starts_the_count_anew(
    plan: Plan, emit: Emit, ask: Ask, hear: Hear, processing: Rows, history: Rows
) -> None:
    await plan(build.user_created())
    await emit(RING)
    [row] = await processing()
    progress = OccurrenceProgress(
        due_event_id=row["event_id"], user_id=row["user_id"], occurred_at=RING, check_at=RING
    )

    for _ in range(3):
        assert [await ask() for _ in range(3)] == [1, 1, 1]
        await hear(progress)

    assert (len(await processing()), await history()) == (1, [])


async def test_a_deleted_users_ring_loses_its_words_at_once_and_is_failed_at_its_check(
    plan: Plan, emit: Emit, ask: Ask, outbox: Rows, processing: Rows, history: Rows
) -> None:
    user, other = build.user_created(), build.user_created()
    await plan(user, other, build.reminder_added(user_id=user.user_id, name="home"))
    await emit(RING)
    await plan(build.user_deleted(user.user_id))

    words = {
        tuple(row[column] for column in ("first_name", "last_name", "name", "message"))
        for row in await processing()
        if row["user_id"] == user.user_id
    }
    assert words == {("", "", None, None)}
    assert await ask() == 3

    emitted = [(row["event_type"], row["group_id"]) for row in await outbox()][3:]
    assert sorted(emitted) == sorted(
        [("BirthdayDue", str(other.user_id)), *[("OccurrenceFailed", str(user.user_id))] * 2]
    )
    over = [(row["status"], row["failure_reason"]) for row in await history() if row["emitted_at"]]
    assert over == [("FAILED", "user deleted")] * 2


async def test_one_that_cannot_be_emitted_any_more_is_failed_and_the_others_go_on(
    plan: Plan, emit: Emit, ask: Ask, outbox: Rows, history: Rows, admin: Connection
) -> None:
    user = build.user_created()
    await plan(user, build.reminder_added(user_id=user.user_id))
    await emit(RING)
    await admin.execute("UPDATE schedule.occurrences SET message = NULL WHERE status = 'PROCESSING'")

    assert await ask() == 2

    assert [row["event_type"] for row in await outbox()][2:] == ["BirthdayDue", "OccurrenceFailed"]
    [over] = await history()
    assert over["failure_reason"].startswith("cannot be emitted again: ValueError: ")
