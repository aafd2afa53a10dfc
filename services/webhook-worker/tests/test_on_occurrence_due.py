import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4, uuid5

import asyncpg
import jsonschema_rs
import msgspec
import pytest
from aiohttp import web
from domain.events import Event, OccurrenceCompleted, OccurrenceFailed, OccurrenceProgress
from messaging.consume import Received
from messaging.slots import Slots
from runtime.database import Connection
from testkit import build
from testkit.receiver import Receiver, Reply
from testkit.repository import find_topology
from webhook_worker.deliver import Deliverer
from webhook_worker.delivery import Delivery

Due = Callable[..., Received]
Take = Callable[..., Coroutine[Any, Any, list[Delivery]]]
Work = Callable[..., Coroutine[Any, Any, None]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]
Told = Callable[[], Coroutine[Any, Any, list[tuple[UUID, Event]]]]


class Worker(Protocol):
    deliverer: Deliverer
    slots: Slots


async def test_a_delivery_is_committed_before_it_is_posted(
    work: Work, due: Due, receiver: Receiver, deliveries: Rows
) -> None:
    stood: list[list[asyncpg.Record]] = []

    async def look(_: web.Request) -> int:
        stood.append(await deliveries())
        return 204

    receiver.reply_with([look])
    ring = due()

    await work(ring)

    [[row]] = stood
    assert (row["event_id"], row["status"], row["attempts"]) == (ring.event_id, "pending", 0)
    assert row["lease_token"] is not None
    assert timedelta(seconds=44) < row["next_attempt_at"] - row["created_at"] <= timedelta(seconds=45)


async def test_a_2xx_completes_the_occurrence(
    work: Work, due: Due, deliveries: Rows, attempts: Rows, told: Told
) -> None:
    ring = due()

    await work(ring)

    [delivery], [attempt], [(outcome_id, outcome)] = await deliveries(), await attempts(), await told()
    assert (delivery["status"], delivery["attempts"], delivery["lease_token"], delivery["reason"]) == (
        "delivered",
        1,
        None,
        None,
    )
    assert (attempt["delivery_id"], attempt["attempt"], attempt["status"], attempt["error"]) == (
        delivery["id"],
        1,
        204,
        None,
    )
    assert outcome_id == uuid5(ring.event_id, "OccurrenceCompleted")
    assert isinstance(outcome, OccurrenceCompleted)
    assert outcome.due_event_id == ring.event_id
    assert [(result.status, result.attempts) for result in outcome.results] == [("delivered", 1)]


async def test_a_404_fails_the_occurrence_at_once(
    work: Work, due: Due, receiver: Receiver, deliveries: Rows, told: Told
) -> None:
    receiver.reply_with([404])
    ring = due()

    await work(ring)

    [delivery], [(outcome_id, outcome)] = await deliveries(), await told()
    assert (delivery["status"], delivery["reason"]) == ("failed", "HTTP 404")
    assert outcome_id == uuid5(ring.event_id, "OccurrenceFailed")
    assert isinstance(outcome, OccurrenceFailed)
    assert outcome.reason == "HTTP 404"
    assert [(result.status, result.reason) for result in outcome.results] == [("failed", "HTTP 404")]


async def test_the_body_is_what_the_contract_says(
    work: Work, due: Due, receiver: Receiver, pytestconfig: pytest.Config
) -> None:
    contract = find_topology(pytestconfig.rootpath).parent / "webhooks" / "birthday-due.schema.json"
    schema = msgspec.json.decode(contract.read_bytes())
    emitted_at = datetime(2026, 12, 10, 9, 1, 30, 41382, tzinfo=UTC)
    ring = due(
        UUID("223987fc-b1cb-5d3b-a868-62d24ee1cc39"),
        user_id=UUID("0192d5f0-5b1e-7c3a-9f1d-3a5e8c2b4d61"),
        emitted_at=emitted_at,
        late_by_seconds=90,
    )

    await work(ring)

    [arrived] = receiver.deliveries
    jsonschema_rs.validator_for(schema, validate_formats=True).validate(arrived.body)
    assert arrived.body == {
        "type": "birthday.due",
        "message": "Hey, Ada Lovelace it's your birthday",
        "userId": "0192d5f0-5b1e-7c3a-9f1d-3a5e8c2b4d61",
        "eventId": "223987fc-b1cb-5d3b-a868-62d24ee1cc39",
        "timestamp": "2026-12-10T09:01:30.041382Z",
        "scheduledFor": "2026-12-10T09:00:00Z",
        "lateBySeconds": 90,
        "localDate": "2026-12-10",
        "timezone": "Europe/London",
    }


@pytest.mark.parametrize("status", [204, 404])
async def test_a_repeat_of_a_settled_event_tells_the_same_outcome_and_posts_nothing(
    work: Work, due: Due, receiver: Receiver, admin: Connection, status: int
) -> None:
    receiver.reply_with([status])
    ring = due()
    await work(ring)

    await work(ring)
    await work(ring, due(), ring)

    assert receiver.tally.received == 2
    messages = await admin.fetch(
        "SELECT event_id, event_type, priority, group_id, attributes, body FROM outbox.messages"
        " WHERE body LIKE $1 ORDER BY id",
        f'%"dueEventId":"{ring.event_id}"%',
    )
    assert len(messages) == 3
    assert len(set(messages)) == 1


async def test_a_repeat_of_an_open_event_tells_when_to_ask_again(
    work: Work, due: Due, receiver: Receiver, deliveries: Rows, told: Told
) -> None:
    receiver.reply_with([503])
    ring = due()
    await work(ring)

    await work(ring)

    assert receiver.tally.received == 1
    [delivery], [(_, progress)] = await deliveries(), await told()
    assert isinstance(progress, OccurrenceProgress)
    assert progress.due_event_id == ring.event_id
    assert progress.check_at - delivery["next_attempt_at"] == timedelta(minutes=15)


async def test_one_event_twice_in_a_batch_is_posted_once_and_both_slots_come_free(
    work: Work, due: Due, receiver: Receiver, worker: Worker
) -> None:
    ring = due()

    await work(ring, ring, due())

    assert receiver.tally.received == 2
    assert worker.slots.free == 100


async def test_of_two_workers_with_the_same_event_one_delivers_it(take: Take, due: Due, told: Told) -> None:
    rings = [due() for _ in range(50)]

    taken = await asyncio.gather(take(*rings), take(*reversed(rings)), take(*rings))

    assert sorted(one.event_id for each in taken for one in each) == sorted(ring.event_id for ring in rings)
    assert {type(event) for _, event in await told()} == {OccurrenceProgress}
    assert len(await told()) == 100


async def test_an_event_that_is_not_due_is_refused_with_nothing_written(
    take: Take, due: Due, deliveries: Rows
) -> None:
    stranger = Received(event_id=uuid4(), event=build.user_created(), receipt="")

    with pytest.raises(TypeError, match="not a due event: UserCreated"):
        await take(due(), stranger)

    assert await deliveries() == []


async def test_a_failing_endpoint_takes_its_slot_with_it_only_as_long_as_the_attempt(
    work: Work, due: Due, receiver: Receiver, worker: Worker
) -> None:
    receiver.reply_with([503, 404, Reply(status=200, after_seconds=1.2)])  # the last is given up after 1 s

    await work(*(due() for _ in range(3)))

    assert worker.slots.free == 100


async def test_a_hundred_events_cost_the_statements_of_one(
    work: Work, due: Due, statements: list[str]
) -> None:
    await work(due())  # asyncpg asks for some types when it meets them first
    statements.clear()
    await work(due())
    of_one = len(statements)
    statements.clear()

    await work(*(due() for _ in range(100)))

    # Accepted in one transaction; recorded in a few, as the answers come in.
    assert of_one == 4 + 7
    assert len(statements) <= 4 + 7 * 12
