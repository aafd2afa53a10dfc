"""A deleted user is delivered nothing more, and what told of them is erased, whatever was under way."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from domain.events import Event, OccurrenceCompleted
from messaging.consume import Received
from messaging.topology import Topology
from runtime.database import Connection, Pool
from runtime.statements import Statements
from testkit import build
from testkit.receiver import Receiver, Reply
from webhook_worker.delivery import Delivery
from webhook_worker.endpoint import DEFAULT_ENDPOINT_ID
from webhook_worker.on_occurrence_due import accept_events
from webhook_worker.on_user_deleted import MOST_FORGOTTEN, TOMBSTONE_KEPT, erase_some, on_user_deleted

Due = Callable[..., Received]
Register = Callable[..., Coroutine[Any, Any, UUID]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]
Take = Callable[..., Coroutine[Any, Any, list[Delivery]]]
Told = Callable[[], Coroutine[Any, Any, list[tuple[UUID, Event]]]]
Work = Callable[..., Coroutine[Any, Any, None]]
Erase = Callable[[], Coroutine[Any, Any, int]]

SQL = Statements("webhook_worker")
LATER = (
    "UPDATE delivery.deleted_users SET deleted_at = now() - $1::interval, erase_at = erase_at - $1::interval"
)
NAME = "Rosalind"


@pytest.fixture
def erase(pool: Pool, topology: Topology) -> Erase:
    return partial(erase_some, pool, topology, timedelta(0))


def deletion(user_id: UUID) -> Received:
    return Received(event_id=uuid4(), event=build.user_deleted(user_id), receipt="")


async def kept_of(admin: Connection, word: str) -> set[str]:
    """Return the tables of deliveries in which a word is kept."""
    names = await admin.fetch(
        """
        SELECT relname FROM pg_class
        WHERE relnamespace = 'delivery'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
        """
    )
    found = "SELECT EXISTS (SELECT FROM delivery.{} AS kept WHERE kept::text LIKE '%' || $1 || '%')"
    return {name for (name,) in names if await admin.fetchval(found.format(name), word)}


async def test_a_deleted_users_deliveries_are_cancelled_and_told_and_their_words_erased(  # noqa: PLR0913, PLR0917 (fixtures)
    work: Work,
    take: Take,
    due: Due,
    receiver: Receiver,
    pool: Pool,
    erase: Erase,
    admin: Connection,
    deliveries: Rows,
    told: Told,
) -> None:
    gone, stays = uuid4(), uuid4()
    message = f"Hey, {NAME} it's your birthday"
    rung, waiting, under_way = [due(user_id=gone, message=message) for _ in range(3)]
    other = due(user_id=stays)
    receiver.reply_with([Reply(headers={"X-Hello": NAME}), 503, 503])
    for ring in (rung, waiting, other):
        await work(ring)
    await take(under_way)
    assert await kept_of(admin, NAME) == {"events", "attempts"}

    await on_user_deleted(pool, [deletion(gone), deletion(gone)])
    assert await erase() == 1
    assert await erase() == 0

    assert await kept_of(admin, NAME) == set()
    assert {row["event_id"]: (row["status"], row["reason"]) for row in await deliveries()} == {
        rung.event_id: ("delivered", None),
        waiting.event_id: ("cancelled", "the user was deleted"),
        under_way.event_id: ("cancelled", "the user was deleted"),
        other.event_id: ("pending", "HTTP 503"),
    }
    assert await admin.fetchval("SELECT body <> '' FROM delivery.events WHERE user_id = $1", stays)
    outcomes = [event for _, event in await told() if isinstance(event, OccurrenceCompleted)]
    assert {event.due_event_id for event in outcomes} == {rung.event_id, waiting.event_id, under_way.event_id}


async def test_what_falls_due_for_a_deleted_user_is_neither_kept_nor_delivered(
    work: Work, due: Due, receiver: Receiver, pool: Pool, admin: Connection, told: Told
) -> None:
    gone, late, other = uuid4(), due(user_id=(user := uuid4()), message=NAME), due()
    await on_user_deleted(pool, [deletion(gone), deletion(user)])

    await work(late, other)
    await work(late)

    assert [one.webhook_id for one in receiver.deliveries] == [str(other.event_id)]
    assert await kept_of(admin, NAME) == set()
    answers = [event for _, event in await told() if event.due_event_id == late.event_id]  # type: ignore[attr-defined]
    assert [type(event) for event in answers] == [OccurrenceCompleted] * 2


async def test_nor_is_it_delivered_to_an_endpoint_that_was_registered(
    work: Work, due: Due, register: Register, receiver: Receiver, pool: Pool, deliveries: Rows
) -> None:
    await register(receiver)
    late = due()
    await on_user_deleted(pool, [deletion(late.event.user_id)])  # type: ignore[attr-defined]

    await work(late)

    assert (receiver.tally.received, await deliveries()) == (0, [])


async def test_an_event_that_is_being_accepted_while_its_user_is_deleted_ends_with_the_second_look(
    due: Due, pool: Pool, erase: Erase, admin: Connection, deliveries: Rows
) -> None:
    ring = due(user_id=(user := uuid4()), message=NAME)
    async with pool.acquire() as connection, connection.transaction():
        await accept_events(connection, DEFAULT_ENDPOINT_ID, timedelta(seconds=45), [ring])
        await on_user_deleted(pool, [deletion(user)])
        assert await erase() == 1
    assert await kept_of(admin, NAME) == {"events"}

    await admin.execute(LATER, timedelta(minutes=10))
    assert await erase() == 1
    await admin.execute(LATER, timedelta(minutes=10))
    assert await erase() == 0

    assert await kept_of(admin, NAME) == set()
    assert [row["status"] for row in await deliveries()] == ["cancelled"]


async def test_a_tombstone_is_forgotten_after_30_days(pool: Pool, erase: Erase, admin: Connection) -> None:
    await on_user_deleted(pool, [deletion(uuid4())])
    await erase()
    await admin.execute(LATER, timedelta(minutes=10))
    await erase()
    left = []
    for days in (29, 31):
        await admin.execute(LATER, timedelta(days=days))
        await pool.execute(SQL["forget_deleted"], TOMBSTONE_KEPT, MOST_FORGOTTEN)
        left.append(await admin.fetchval("SELECT count(*) FROM delivery.deleted_users"))

    assert left == [1, 0]


async def test_another_event_on_its_queue_is_refused(pool: Pool, due: Due) -> None:
    with pytest.raises(TypeError, match="BirthdayDue"):
        await on_user_deleted(pool, [due()])
