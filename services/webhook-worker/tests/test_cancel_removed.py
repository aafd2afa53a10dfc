from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
from domain.events import Event, OccurrenceCompleted, OccurrenceFailed
from messaging.consume import Received
from messaging.topology import Topology
from runtime.database import Connection, Pool
from testkit.receiver import Receiver
from webhook_worker.cancel_removed import cancel_deliveries
from webhook_worker.delivery import Delivery

Due = Callable[..., Received]
Register = Callable[..., Coroutine[Any, Any, UUID]]
Retry = Callable[[], Awaitable[int]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]
Take = Callable[..., Coroutine[Any, Any, list[Delivery]]]
Told = Callable[[], Coroutine[Any, Any, list[tuple[UUID, Event]]]]
Work = Callable[..., Coroutine[Any, Any, None]]

NO_OFFSET = timedelta(0)


async def test_a_removed_endpoints_open_deliveries_are_cancelled_and_the_others_decide_the_outcome(  # noqa: PLR0913, PLR0917 (fixtures)
    work: Work,
    retry: Retry,
    due: Due,
    register: Register,
    receiver: Receiver,
    other: Receiver,
    told: Told,
    pool: Pool,
    topology: Topology,
    admin: Connection,
) -> None:
    first, second = await register(receiver), await register(other)
    other.reply_with([503, 503])
    receiver.reply_with([204, 404])
    good, bad = due(), due()
    await work(good)
    await work(bad)
    assert [type(event) for _, event in await told()] == []

    await admin.execute("SELECT delivery.remove_endpoint($1)", second)
    assert await cancel_deliveries(pool, topology, NO_OFFSET) == 2
    assert await cancel_deliveries(pool, topology, NO_OFFSET) == 0
    assert await retry() == 0

    events = [event for _, event in await told()]
    [completed] = [event for event in events if isinstance(event, OccurrenceCompleted)]
    [failed] = [event for event in events if isinstance(event, OccurrenceFailed)]
    assert (completed.due_event_id, failed.due_event_id) == (good.event_id, bad.event_id)
    assert {(one.endpoint_id, one.status, one.attempts, one.reason) for one in completed.results} == {
        (first, "delivered", 1, None),
        (second, "cancelled", 1, "the endpoint was removed"),
    }


async def test_what_is_under_way_to_a_removed_endpoint_is_left_to_end(  # noqa: PLR0913, PLR0917 (fixtures)
    take: Take,
    due: Due,
    register: Register,
    receiver: Receiver,
    deliveries: Rows,
    pool: Pool,
    topology: Topology,
    admin: Connection,
) -> None:
    endpoint_id = await register(receiver)
    await take(due())
    await admin.execute("SELECT delivery.remove_endpoint($1)", endpoint_id)

    assert await cancel_deliveries(pool, topology, NO_OFFSET) == 0

    await admin.execute("UPDATE delivery.deliveries SET next_attempt_at = now()")
    assert await cancel_deliveries(pool, topology, NO_OFFSET) == 1
    assert [row["status"] for row in await deliveries()] == ["cancelled"]
