"""What waits in vain is settled: cancelled with its endpoint, or missed after 76 hours."""

from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from domain.events import Event, OccurrenceCompleted, OccurrenceFailed
from messaging.consume import Received
from messaging.topology import Topology
from runtime.database import Connection, Pool
from runtime.encrypt import Keys
from testkit.receiver import Receiver
from webhook_worker.delivery import Delivery
from webhook_worker.endpoints import Endpoints
from webhook_worker.settle_waiting import cancel_removed, miss_overdue

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
    assert await cancel_removed(pool, topology, NO_OFFSET) == 2
    assert await cancel_removed(pool, topology, NO_OFFSET) == 0
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

    assert await cancel_removed(pool, topology, NO_OFFSET) == 0

    await admin.execute("UPDATE delivery.deliveries SET next_attempt_at = now()")
    assert await cancel_removed(pool, topology, NO_OFFSET) == 1
    assert [row["status"] for row in await deliveries()] == ["cancelled"]


LONG_DUE = "UPDATE delivery.deliveries SET next_attempt_at = now() - $1::interval"
ALMOST, OVER = timedelta(hours=75, minutes=59), timedelta(hours=76, minutes=1)


async def test_what_a_disabled_endpoint_was_owed_for_76_hours_is_missed_told_and_kept(  # noqa: PLR0913, PLR0917 (fixtures)
    work: Work,
    due: Due,
    register: Register,
    receiver: Receiver,
    other: Receiver,
    told: Told,
    deliveries: Rows,
    pool: Pool,
    topology: Topology,
    endpoints: Endpoints,
    admin: Connection,
) -> None:
    disabled, sound = await register(receiver, enabled=False), await register(other)
    await work(due())

    await admin.execute(LONG_DUE, ALMOST)
    assert await miss_overdue(pool, topology, endpoints, NO_OFFSET) == 0
    await admin.execute(LONG_DUE, OVER)
    assert await miss_overdue(pool, topology, endpoints, NO_OFFSET) == 1
    assert await miss_overdue(pool, topology, endpoints, NO_OFFSET) == 0

    [failed] = [event for _, event in await told()]
    assert isinstance(failed, OccurrenceFailed)
    reason = "its endpoint took nothing for 76 hours"
    assert failed.reason == reason
    assert {(one.endpoint_id, one.status, one.attempts, one.reason) for one in failed.results} == {
        (disabled, "missed", 0, reason),
        (sound, "delivered", 1, None),
    }
    assert {(row["endpoint_id"], row["status"]) for row in await deliveries()} == {
        (disabled, "missed"),
        (sound, "delivered"),
    }


@pytest.mark.parametrize(
    ("failing_for", "missed"), [(None, 0), (timedelta(hours=75), 0), (timedelta(hours=77), 1)]
)
async def test_an_enabled_endpoint_misses_only_what_it_was_owed_while_it_failed(  # noqa: PLR0913, PLR0917 (fixtures)
    take: Take,
    due: Due,
    pool: Pool,
    topology: Topology,
    endpoints: Endpoints,
    admin: Connection,
    failing_for: timedelta | None,
    missed: int,
) -> None:
    [delivery] = await take(due())  # to the default endpoint
    await admin.execute(LONG_DUE, OVER)
    if failing_for:
        await admin.execute(
            "INSERT INTO delivery.failing_endpoints VALUES ($1, now() - $2::interval)",
            delivery.endpoint_id,
            failing_for,
        )

    assert await miss_overdue(pool, topology, endpoints, NO_OFFSET) == missed


async def test_what_the_default_endpoint_was_owed_is_missed_once_there_is_none_any_more(
    take: Take, due: Due, pool: Pool, topology: Topology, keys: Keys, admin: Connection
) -> None:
    await take(due())
    await admin.execute(LONG_DUE, OVER)
    without = Endpoints(pool, keys, None, most_time=timedelta(seconds=1))

    assert await miss_overdue(pool, topology, without, NO_OFFSET) == 1
