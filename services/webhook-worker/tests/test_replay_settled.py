import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from domain.events import Event, OccurrenceFailed
from messaging.consume import Received
from runtime.database import Connection, Pool
from testkit.fresh_database import FreshDatabase
from testkit.receiver import Receiver
from testkit.stepped_pool import crash_after, statements_of
from webhook_worker.endpoint import DEFAULT_ENDPOINT_ID
from webhook_worker.replay_settled import replay_some

Due = Callable[..., Received]
Work = Callable[..., Coroutine[Any, Any, None]]
Retry = Callable[[], Awaitable[int]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]
Told = Callable[[], Coroutine[Any, Any, list[tuple[UUID, Event]]]]
Register = Callable[..., Coroutine[Any, Any, UUID]]

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ITS_TURN = "UPDATE delivery.replays SET next_at = now()"


class Replays:
    """Asks for replays as the API does, and works on them as the worker does."""

    def __init__(self, pool: Pool, admin: Connection) -> None:
        self._pool = pool
        self.admin = admin

    async def ask(
        self,
        endpoint_id: UUID = DEFAULT_ENDPOINT_ID,
        *statuses: str,
        since: datetime = LONG_AGO,
        until: datetime | None = None,
    ) -> int:
        """Ask for a replay; return how many deliveries there are to open."""
        count = await self.admin.fetchval(
            "SELECT delivery.request_replay($1, $2, $3, $4, $5, 'somebody')",
            uuid4(),
            endpoint_id,
            since,
            until,
            list(statuses) or ["failed"],
        )
        return int(count)

    async def open_some(self, most: int = 10) -> bool:
        """Take one turn; tell whether there was a replay to work on."""
        return await replay_some(self._pool, most)

    async def open_all(self, most: int = 10) -> list[int]:
        """Take every turn that is left, the waits between them left out; return how many each opened."""
        opened = [await self._opened()]
        await self.admin.execute(ITS_TURN)
        while await self.open_some(most):
            opened.append(await self._opened())
            await self.admin.execute(ITS_TURN)
        return [after - before for before, after in pairwise(opened)]

    async def _opened(self) -> int:
        return int(await self.admin.fetchval("SELECT sum(reopened) FROM delivery.replays"))


@pytest.fixture
def replays(pool: Pool, admin: Connection) -> Replays:
    return Replays(pool, admin)


async def test_what_failed_is_replayed_under_its_webhook_id_and_the_outcome_stays_as_it_was_told(
    work: Work, retry: Retry, due: Due, receiver: Receiver, deliveries: Rows, told: Told, replays: Replays
) -> None:
    receiver.reply_with([404])
    ring = due()
    await work(ring)
    outcomes = await told()

    assert await replays.ask() == 1
    assert await replays.open_some()
    [reopened] = await deliveries()
    assert (reopened["status"], reopened["settled_at"], reopened["lease_token"]) == ("pending", None, None)
    assert await retry() == 1

    assert [post.webhook_id for post in receiver.deliveries] == [str(ring.event_id)] * 2
    assert receiver.deliveries[0].body == receiver.deliveries[1].body
    assert [(row["status"], row["attempts"]) for row in await deliveries()] == [("delivered", 2)]
    assert [type(event) for _, event in outcomes] == [OccurrenceFailed]
    assert await told() == outcomes


async def test_a_replay_has_the_whole_schedule_again(
    work: Work, retry: Retry, due: Due, receiver: Receiver, deliveries: Rows, replays: Replays
) -> None:
    receiver.reply_with([503] * 19)
    await work(due())
    for _ in range(9):
        await retry()
    assert [(row["status"], row["attempts"]) for row in await deliveries()] == [("failed", 10)]

    await replays.ask()
    await replays.open_some()
    for _ in range(9):
        assert await retry() == 1
        assert [row["status"] for row in await deliveries()] == ["pending"]
    await retry()

    assert [(row["status"], row["attempts"]) for row in await deliveries()] == [("delivered", 20)]


async def test_an_outcome_that_is_not_told_yet_waits_for_what_is_replayed_before(  # noqa: PLR0913, PLR0917 (fixtures)
    work: Work,
    retry: Retry,
    due: Due,
    receiver: Receiver,
    other: Receiver,
    register: Register,
    told: Told,
    replays: Replays,
) -> None:
    await register(receiver)
    second = await register(other)
    receiver.reply_with([503])
    other.reply_with([404])
    await work(due())
    assert await told() == []

    await replays.ask(second)
    await replays.open_some()
    await retry()

    [(_, outcome)] = await told()
    assert outcome.event_type == "OccurrenceCompleted"


async def test_a_replay_opens_so_many_at_a_time_in_order_and_none_twice_though_it_fails_again(
    work: Work,
    retry: Retry,
    due: Due,
    receiver: Receiver,
    deliveries: Rows,
    replays: Replays,
) -> None:
    receiver.reply_with([404] * 8)
    await work(*(due() for _ in range(4)))
    assert await replays.ask() == 4

    assert await replays.open_some(3)
    assert not await replays.open_some(3), "its next turn is a second away"
    ids = [row["id"] for row in await deliveries()]
    assert [row["id"] for row in await deliveries() if row["status"] == "pending"] == ids[:3]
    await retry()

    assert await replays.open_all(3) == [1]
    await retry()
    [replay] = await replays.admin.fetch("SELECT * FROM delivery.replays")
    assert (replay["deliveries"], replay["reopened"], replay["finished_at"] is None) == (4, 4, False)
    assert len(receiver.deliveries) == 8


async def test_a_replay_asked_for_twice_sends_once(
    work: Work, due: Due, receiver: Receiver, retry: Retry, replays: Replays
) -> None:
    receiver.reply_with([404] * 3)
    await work(*(due() for _ in range(3)))
    await replays.ask()
    await replays.ask()

    await asyncio.gather(*(replays.open_some() for _ in range(4)))
    await replays.open_all()
    await retry()

    assert len(receiver.deliveries) == 6
    assert await replays.ask() == 0


async def test_only_what_was_made_in_time_and_ended_so_at_this_endpoint_is_replayed(
    work: Work, due: Due, receiver: Receiver, deliveries: Rows, replays: Replays
) -> None:
    receiver.reply_with([404, 404, 404, 404, 204])
    await work(*(due() for _ in range(5)))
    rows = [row["id"] for row in await deliveries() if row["status"] == "failed"]
    now = datetime.now(UTC)
    await replays.admin.execute(
        "UPDATE delivery.deliveries SET created_at = $1 WHERE id = $2", now - timedelta(hours=2), rows[0]
    )
    await replays.admin.execute("UPDATE delivery.deliveries SET status = 'missed' WHERE id = $1", rows[1])
    await replays.admin.execute(
        "UPDATE delivery.deliveries SET endpoint_id = $1 WHERE id = $2", uuid4(), rows[2]
    )

    hour_ago = now - timedelta(hours=1)
    assert await replays.ask(DEFAULT_ENDPOINT_ID, "failed", since=hour_ago) == 1
    assert await replays.ask(DEFAULT_ENDPOINT_ID, "failed", until=hour_ago) == 1
    assert await replays.ask(DEFAULT_ENDPOINT_ID, "missed") == 1
    assert await replays.ask(DEFAULT_ENDPOINT_ID, "failed", "missed", "delivered", since=hour_ago) == 3

    async def opened_by(which: str) -> list[UUID]:
        await replays.admin.execute(f"UPDATE delivery.replays SET finished_at = now() WHERE NOT ({which})")  # noqa: S608
        await replays.open_all()
        return [row["id"] for row in await deliveries() if row["status"] == "pending"]

    await replays.admin.execute("CREATE TABLE kept AS TABLE delivery.replays")
    assert await opened_by("statuses = '{missed}'") == [rows[1]]
    await replays.admin.execute("TRUNCATE delivery.replays; INSERT INTO delivery.replays TABLE kept")
    assert await opened_by("statuses = '{failed}' AND until < requested_at - interval '1 minute'") == rows[:2]


async def test_what_cannot_be_sent_any_more_is_not_opened(
    work: Work,
    due: Due,
    receiver: Receiver,
    other: Receiver,
    register: Register,
    deliveries: Rows,
    replays: Replays,
) -> None:
    removed, kept = await register(receiver), await register(other)
    receiver.reply_with([404])
    other.reply_with([404])
    ring, later = due(), due()
    await work(ring)
    receiver.reply_with([404])
    await work(later)
    await replays.admin.execute("SELECT delivery.remove_endpoint($1)", removed)
    await replays.admin.execute("UPDATE delivery.events SET body = '' WHERE event_id = $1", ring.event_id)

    await replays.ask(removed)
    await replays.ask(kept)
    await replays.open_all()

    assert [row["status"] for row in await deliveries() if row["endpoint_id"] == removed] == ["failed"] * 2
    assert sorted(row["status"] for row in await deliveries()) == ["delivered"] + ["failed"] * 3
    assert await replays.admin.fetchval("SELECT sum(reopened) FROM delivery.replays") == 0
    assert await replays.admin.fetchval("SELECT open FROM delivery.events") == 0


async def test_whatever_statement_a_worker_dies_at_a_replay_opens_each_once(
    work: Work, due: Due, receiver: Receiver, deliveries: Rows, replays: Replays, database: FreshDatabase
) -> None:
    url, admin = database.url("carillon_webhook_worker"), replays.admin
    receiver.reply_with([404] * 3)
    await work(*(due() for _ in range(3)))

    async def begin() -> None:
        await admin.execute("UPDATE delivery.deliveries SET status = 'failed', settled_at = now()")
        await admin.execute("UPDATE delivery.events SET open = 0; DELETE FROM delivery.replays")
        await replays.ask()

    async def open_two(pool: Pool) -> None:
        await replay_some(pool, 2)

    await begin()
    for number in range(await statements_of(open_two, url) + 1):
        await begin()
        await crash_after(number, work=open_two, url=url, admin=admin)
        await replays.open_all()
        assert [row["status"] for row in await deliveries()] == ["pending"] * 3
        assert await admin.fetchval("SELECT array_agg(open) FROM delivery.events") == [1] * 3
        assert await admin.fetchval("SELECT reopened FROM delivery.replays") == 3
