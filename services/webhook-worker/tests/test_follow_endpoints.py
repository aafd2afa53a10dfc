"""Endpoints are followed by how they answer: some are disabled, which is told, and lose nothing."""

from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import asyncpg
import pytest
from domain.events import EndpointDisabled, Event, OccurrenceFailed
from messaging.consume import Received
from runtime.database import Connection
from testkit.receiver import Receiver

Due = Callable[..., Received]
Register = Callable[..., Coroutine[Any, Any, UUID]]
Retry = Callable[[], Awaitable[int]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]
Told = Callable[[], Coroutine[Any, Any, list[tuple[UUID, Event]]]]
Work = Callable[..., Coroutine[Any, Any, None]]

ENABLE = "UPDATE delivery.endpoints SET version = version + 1, enabled = true, disabled_reason = NULL"


def disabled(events: list[tuple[UUID, Event]]) -> list[tuple[UUID, EndpointDisabled]]:
    return [(event_id, event) for event_id, event in events if isinstance(event, EndpointDisabled)]


async def test_a_410_disables_the_endpoint_tells_it_once_and_keeps_what_comes_later(  # noqa: PLR0913, PLR0917 (fixtures)
    work: Work,
    retry: Retry,
    due: Due,
    register: Register,
    receiver: Receiver,
    other: Receiver,
    told: Told,
    deliveries: Rows,
    admin: Connection,
) -> None:
    endpoint_id = await register(receiver)
    await register(other)
    receiver.reply_with([410, 410, 410])
    rings = [due() for _ in range(3)]  # all under way when the first answers

    await work(*rings)
    later = due()
    await work(later)

    [row] = await admin.fetch("SELECT * FROM delivery.endpoints WHERE id = $1", endpoint_id)
    assert (row["enabled"], row["disabled_reason"], row["version"]) == (False, "gone", 2)
    [(event_id, event)] = disabled(await told())
    assert event_id == uuid5(endpoint_id, "EndpointDisabled 2")
    assert (event.endpoint_id, event.version, event.reason) == (endpoint_id, 2, "gone")
    failed = [event for _, event in await told() if isinstance(event, OccurrenceFailed)]
    assert {(one.due_event_id, one.reason) for one in failed} == {
        (ring.event_id, "HTTP 410") for ring in rings
    }
    assert (receiver.tally.received, other.tally.received) == (3, 4)

    await admin.execute(ENABLE)
    assert await retry() == 1
    assert receiver.deliveries[-1].webhook_id == str(later.event_id)
    assert [row["status"] for row in await deliveries() if row["event_id"] == later.event_id] == [
        "delivered",
        "delivered",
    ]


async def test_an_old_410_does_not_disable_an_endpoint_that_was_changed_since(
    work: Work, due: Due, register: Register, receiver: Receiver, told: Told, admin: Connection
) -> None:
    async def change_and_answer(_: object) -> int:
        await admin.execute(ENABLE)
        return 410

    await register(receiver)
    receiver.reply_with([change_and_answer])

    await work(due())

    assert await admin.fetchval("SELECT enabled FROM delivery.endpoints")
    assert disabled(await told()) == []


async def test_a_410_of_the_default_endpoint_gives_up_that_delivery_alone(
    work: Work, due: Due, receiver: Receiver, told: Told
) -> None:
    receiver.reply_with([410])

    await work(due())
    await work(due())

    assert receiver.tally.received == 2
    assert disabled(await told()) == []


FAILING_SINCE = "UPDATE delivery.failing_endpoints SET since = now() - $1::interval"
UNCHANGED_SINCE = "UPDATE delivery.endpoints SET updated_at = now() - $1::interval"
JUST_SHORT, FIVE_DAYS = timedelta(hours=119), timedelta(hours=121)


@pytest.fixture
async def failing(work: Work, due: Due, register: Register, receiver: Receiver, admin: Connection) -> UUID:
    """Give an endpoint that has failed once, a while ago."""
    endpoint_id = await register(receiver)
    receiver.reply_with([503])
    await work(due())
    assert await admin.fetchval("SELECT endpoint_id FROM delivery.failing_endpoints") == endpoint_id
    return endpoint_id


async def test_an_endpoint_that_only_failed_for_120_hours_is_disabled_told_and_its_deliveries_kept(  # noqa: PLR0913, PLR0917 (fixtures)
    failing: UUID,
    work: Work,
    due: Due,
    retry: Retry,
    receiver: Receiver,
    told: Told,
    deliveries: Rows,
    admin: Connection,
) -> None:
    receiver.reply_with([500, 500])
    await admin.execute(UNCHANGED_SINCE, FIVE_DAYS)
    await admin.execute(FAILING_SINCE, JUST_SHORT)
    await retry()
    assert disabled(await told()) == []

    await admin.execute(FAILING_SINCE, FIVE_DAYS)
    await retry()
    await work(due())

    [(_, event)] = disabled(await told())
    assert (event.endpoint_id, event.version, event.reason) == (failing, 2, "failing")
    assert await admin.fetchval("SELECT disabled_reason FROM delivery.endpoints") == "failing"
    assert [(row["status"], row["attempts"]) for row in await deliveries()] == [
        ("pending", 3),
        ("pending", 0),
    ]
    assert await retry() == 0

    await admin.execute(ENABLE)
    await retry()
    assert [row["status"] for row in await deliveries()] == ["delivered", "delivered"]


async def test_one_success_and_the_hours_count_from_the_next_failure(
    failing: UUID, retry: Retry, work: Work, due: Due, receiver: Receiver, admin: Connection
) -> None:
    await admin.execute(FAILING_SINCE, FIVE_DAYS)
    await retry()
    assert await admin.fetch("SELECT * FROM delivery.failing_endpoints") == []

    receiver.reply_with([503])
    await work(due())
    [row] = await admin.fetch(
        "SELECT endpoint_id, now() - since < '1 minute' AS anew FROM delivery.failing_endpoints"
    )
    assert tuple(row) == (failing, True)


async def test_an_endpoint_that_somebody_has_changed_has_120_hours_more(
    failing: UUID, retry: Retry, receiver: Receiver, told: Told, admin: Connection
) -> None:
    receiver.reply_with([500])
    await admin.execute(FAILING_SINCE, FIVE_DAYS)
    await admin.execute(UNCHANGED_SINCE, JUST_SHORT)

    await retry()

    assert disabled(await told()) == []
    assert await admin.fetchval("SELECT enabled FROM delivery.endpoints WHERE id = $1", failing)


async def test_what_is_removed_fails_no_more(failing: UUID, admin: Connection) -> None:
    await admin.execute("SELECT delivery.remove_endpoint($1)", failing)

    assert await admin.fetch("SELECT * FROM delivery.failing_endpoints") == []


async def test_an_endpoint_that_answers_costs_no_statement_more(
    work: Work, due: Due, receiver: Receiver, register: Register, statements: list[str]
) -> None:
    await register(receiver)

    await work(due())

    assert receiver.tally.accepted == 1
    assert [
        one for one in statements if "INTO delivery.failing" in one or "FROM delivery.failing" in one[:40]
    ] == []
