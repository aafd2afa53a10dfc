from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from uuid import UUID, uuid5

import asyncpg
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
