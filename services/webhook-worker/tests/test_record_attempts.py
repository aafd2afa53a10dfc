import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from domain.events import Event, OccurrenceCompleted, OccurrenceFailed
from domain.retry import NoResponse, Outcome, Response
from messaging.consume import Received
from msgspec import structs
from runtime.database import Connection, Pool
from webhook_worker.delivery import Attempt, Delivery
from webhook_worker.endpoint import DEFAULT_ENDPOINT_ID
from webhook_worker.retry_due import lease_due

Due = Callable[..., Received]
Take = Callable[..., Coroutine[Any, Any, list[Delivery]]]
Record = Callable[..., Coroutine[Any, Any, None]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]
Told = Callable[[], Coroutine[Any, Any, list[tuple[UUID, Event]]]]

LEASE = timedelta(seconds=45)
ROOM = {DEFAULT_ENDPOINT_ID: 10}


def tried(delivery: Delivery, outcome: Outcome) -> Attempt:
    return Attempt(delivery=delivery, at=datetime.now(UTC), outcome=outcome, latency_ms=12.5)


async def wait_of(deliveries: Rows, admin: Connection) -> timedelta:
    """How long it is until the one delivery's next attempt, give or take the test's own second."""
    [row] = await deliveries()
    wait: timedelta = row["next_attempt_at"] - await admin.fetchval("SELECT now()")
    return wait


@pytest.mark.parametrize(
    ("attempt", "least", "most"),
    [(1, 5, 5.5), (2, 300, 330), (3, 1800, 1980), (9, 86400, 95040)],
)
async def test_a_503_is_retried_by_the_schedule_and_at_most_a_tenth_later(  # noqa: PLR0913, PLR0917 (fixtures)
    take: Take,
    due: Due,
    record: Record,
    deliveries: Rows,
    told: Told,
    admin: Connection,
    attempt: int,
    least: float,
    most: float,
) -> None:
    [delivery] = await take(due())

    await record(tried(structs.replace(delivery, attempt=attempt), Response(503)))

    assert timedelta(seconds=least - 1) < await wait_of(deliveries, admin) <= timedelta(seconds=most)
    [row] = await deliveries()
    assert (row["status"], row["attempts"], row["lease_token"], row["reason"]) == (
        "pending",
        attempt,
        None,
        "HTTP 503",
    )
    assert await told() == []


async def test_the_tenth_attempt_is_the_last(
    take: Take, due: Due, record: Record, deliveries: Rows, told: Told
) -> None:
    [delivery] = await take(due())

    await record(tried(structs.replace(delivery, attempt=10), NoResponse("timeout")))

    [row], [(_, outcome)] = await deliveries(), await told()
    assert (row["status"], row["reason"]) == ("failed", "timeout after 10 attempts")
    assert isinstance(outcome, OccurrenceFailed)
    assert outcome.reason == "timeout after 10 attempts"


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [(timedelta(minutes=2), 120, 132), (timedelta(days=30), 36000, 39600), (timedelta.max, 36000, 39600)],
)
async def test_retry_after_is_honoured_up_to_ten_hours(  # noqa: PLR0913, PLR0917 (fixtures)
    take: Take,
    due: Due,
    record: Record,
    deliveries: Rows,
    admin: Connection,
    asked: timedelta,
    least: float,
    most: float,
) -> None:
    [delivery] = await take(due())

    await record(tried(delivery, Response(429, asked)))

    assert timedelta(seconds=least - 1) < await wait_of(deliveries, admin) <= timedelta(seconds=most)


async def test_every_attempt_is_appended_whatever_became_of_its_delivery(
    take: Take, due: Due, record: Record, attempts: Rows
) -> None:
    [delivery] = await take(due())
    outcomes: list[Outcome] = [Response(200), NoResponse("timeout"), Response(500), Response(200)]

    for outcome in outcomes:
        await record(tried(delivery, outcome))

    assert [(row["status"], row["error"]) for row in await attempts()] == [
        (200, None),
        (None, "timeout"),
        (500, None),
        (200, None),
    ]


async def test_a_lease_that_ran_out_is_taken_by_another_worker_under_the_same_event_id(
    take: Take, due: Due, pool: Pool, admin: Connection
) -> None:
    [delivery] = await take(due())
    assert await lease_due(pool, ROOM, most=10, lease=LEASE) == []
    await admin.execute("UPDATE delivery.deliveries SET next_attempt_at = now()")

    [again] = await lease_due(pool, ROOM, most=10, lease=LEASE)

    assert again.lease_token != delivery.lease_token
    assert structs.replace(again, lease_token=delivery.lease_token) == delivery
    assert await lease_due(pool, ROOM, most=10, lease=LEASE) == []


@pytest.mark.parametrize("outcome", [Response(503), Response(404), NoResponse("timeout")])
async def test_an_outdated_token_neither_reschedules_nor_gives_up(  # noqa: PLR0913, PLR0917 (fixtures)
    take: Take,
    due: Due,
    record: Record,
    deliveries: Rows,
    told: Told,
    pool: Pool,
    admin: Connection,
    outcome: Outcome,
) -> None:
    [outdated] = await take(due())
    await admin.execute("UPDATE delivery.deliveries SET next_attempt_at = now()")
    await lease_due(pool, ROOM, most=10, lease=LEASE)
    before = await deliveries()

    await record(tried(outdated, outcome))

    assert before == await deliveries()
    assert await told() == []


async def test_a_2xx_settles_whatever_its_token_and_what_comes_later_changes_nothing(
    take: Take, due: Due, record: Record, deliveries: Rows, told: Told, pool: Pool, admin: Connection
) -> None:
    [outdated] = await take(due())
    await admin.execute("UPDATE delivery.deliveries SET next_attempt_at = now()")
    [current] = await lease_due(pool, ROOM, most=10, lease=LEASE)

    await record(tried(outdated, Response(200)))
    settled = await deliveries()
    await record(tried(current, Response(404)))
    await record(tried(current, Response(200)))

    assert settled == await deliveries()
    assert [row["status"] for row in settled] == ["delivered"]
    assert [type(event) for _, event in await told()] == [OccurrenceCompleted]


async def test_a_2xx_after_giving_up_changes_no_outcome(
    take: Take, due: Due, record: Record, deliveries: Rows, told: Told
) -> None:
    [delivery] = await take(due())
    await record(tried(delivery, Response(404)))

    await record(tried(delivery, Response(200)))

    assert [row["status"] for row in await deliveries()] == ["failed"]
    assert [type(event) for _, event in await told()] == [OccurrenceFailed]


async def test_two_workers_that_settle_the_same_events_at_once_tell_each_outcome_once(
    take: Take, due: Due, record: Record, told: Told, attempts: Rows
) -> None:
    deliveries = await take(*(due() for _ in range(100)))
    good = [tried(delivery, Response(200)) for delivery in deliveries]

    await asyncio.gather(record(*good), record(*reversed(good)), record(*good[::2]))

    outcomes = [event.due_event_id for _, event in await told() if isinstance(event, OccurrenceCompleted)]
    assert sorted(outcomes) == sorted(delivery.event_id for delivery in deliveries)
    assert len(await attempts()) == 250


async def test_of_two_attempts_at_one_delivery_in_one_batch_the_2xx_counts(
    take: Take, due: Due, record: Record, deliveries: Rows, told: Told, attempts: Rows
) -> None:
    [delivery] = await take(due())

    await record(
        tried(delivery, Response(503)), tried(delivery, Response(200)), tried(delivery, Response(503))
    )

    assert [row["status"] for row in await deliveries()] == ["delivered"]
    assert len(await told()) == 1
    assert len(await attempts()) == 3


async def test_an_event_ends_when_the_last_of_its_deliveries_does_and_fails_if_one_did(
    take: Take, due: Due, record: Record, told: Told, admin: Connection
) -> None:
    ring = due()
    [first] = await take(ring)
    second = structs.replace(first, id=uuid4(), endpoint_id=uuid4())
    await admin.execute("UPDATE delivery.events SET open = 2")
    await admin.execute(
        "INSERT INTO delivery.deliveries"
        " (id, created_at, event_id, endpoint_id, next_attempt_at, lease_token)"
        " VALUES ($1, $2, $3, $4, now(), $5)",
        second.id,
        second.created_at,
        second.event_id,
        second.endpoint_id,
        second.lease_token,
    )

    await record(tried(first, Response(404)))
    assert await told() == []
    await asyncio.gather(*(record(tried(second, Response(200))) for _ in range(3)))

    [(_, outcome)] = await told()
    assert isinstance(outcome, OccurrenceFailed)
    assert sorted(result.status for result in outcome.results) == ["delivered", "failed"]


async def test_a_failure_while_telling_leaves_nothing_recorded(
    take: Take, due: Due, record: Record, deliveries: Rows, attempts: Rows, admin: Connection
) -> None:
    [delivery] = await take(due())
    before = await deliveries()
    await admin.execute("REVOKE EXECUTE ON FUNCTION outbox.append FROM carillon_webhook_worker")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await record(tried(delivery, Response(200)))

    assert before == await deliveries()
    assert await attempts() == []


async def test_recording_costs_the_same_statements_whatever_the_batch(
    take: Take, due: Due, record: Record, statements: list[str]
) -> None:
    deliveries = await take(*(due() for _ in range(402)))
    good = [tried(delivery, Response(200)) for delivery in deliveries]
    await record(good[0])
    costs = []
    for batch in (good[1:2], good[2:]):
        statements.clear()
        await record(*batch)
        costs.append(len(statements))

    # BEGIN, attempts and their deliveries, count down, results, outcomes and their messages, COMMIT, a reset
    assert costs == [7, 7]
