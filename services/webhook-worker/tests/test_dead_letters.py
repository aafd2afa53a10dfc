import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from domain.events import DeadLettered, Event
from domain.ids import dead_letter_id
from messaging.dead_letters import DeadLetter, find_dead_letter_queue, receive_dead_letters
from messaging.envelope import Outgoing, compose
from messaging.topology import Topology, dead_letter_name, undelivered_name
from runtime.database import Connection, Pool
from testkit import build
from testkit.broker import Broker
from testkit.fresh_database import FreshDatabase
from testkit.stepped_pool import crash_after, statements_of
from types_aiobotocore_sqs.type_defs import MessageTypeDef
from webhook_worker.drain_dead_letters import Keep, drain, drain_all, keep_dead_letters
from webhook_worker.on_user_deleted import erase_some
from webhook_worker.redrive_dead_letters import redrive

Told = Callable[[], Coroutine[Any, Any, list[tuple[UUID, Event]]]]

NO_OFFSET = timedelta(0)
POISON = '{"specversion": "1.0"}'
QUEUE = "webhook-critical"


class Mailroom:
    """Dead-letter queues on the engine, drained and redriven as the worker does."""

    def __init__(self, broker: Broker, pool: Pool, admin: Connection) -> None:
        self.broker = broker
        self.pool = pool
        self.admin = admin
        self.keep: Keep = partial(keep_dead_letters, pool, broker.topology, NO_OFFSET)

    async def put(
        self, body: str = POISON, *, undelivered: bool = False, queue: str = QUEUE, **attributes: str
    ) -> str:
        """Put a message into a dead-letter queue; return its id."""
        name = undelivered_name if undelivered else dead_letter_name
        url = await self.broker.sqs.get_queue_url(QueueName=name(self.broker.environment, queue))
        sent = await self.broker.sqs.send_message(
            QueueUrl=url["QueueUrl"],
            MessageBody=body,
            MessageAttributes={
                key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()
            },
        )
        return sent["MessageId"]

    async def drain(self, keep: Keep | None = None) -> None:
        queues = self.broker.topology.queues.values()
        await drain_all(self.broker.sqs, self.broker.environment, queues, keep or self.keep, {})

    async def redrive(self) -> int:
        return await redrive(self.pool, self.broker.sqs, self.broker.environment)

    async def ask_back(self, *ids: UUID, queue: str | None = None) -> int:
        count = await self.admin.fetchval("SELECT delivery.request_redrive($1, $2, 'me')", ids, queue)
        return int(count)

    async def arrived(self, queue: str = QUEUE) -> list[MessageTypeDef]:
        """Take what is in a queue."""
        answer = await self.broker.sqs.receive_message(
            QueueUrl=await self.broker.queue_url(queue),
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            AttributeNames=["All"],
        )
        return answer.get("Messages", [])

    async def rows(self) -> list[dict[str, Any]]:
        query = "SELECT * FROM delivery.dead_letters ORDER BY received_at, body"
        return [dict(row) for row in await self.admin.fetch(query)]


@pytest.fixture
def mailroom(broker: Broker, pool: Pool, admin: Connection, monkeypatch: pytest.MonkeyPatch) -> Mailroom:
    # The engine is one server: what is there is found without waiting.
    monkeypatch.setattr("messaging.dead_letters.WAIT_SECONDS", 0)
    return Mailroom(broker, pool, admin)


def due_body(mailroom: Mailroom, user_id: UUID) -> str:
    event = build.birthday_due(user_id=user_id)
    out = Outgoing(event_id=uuid4(), subject=user_id, event=event)
    return compose(mailroom.broker.topology, "scheduler", event.emitted_at, [out])[0].body


async def test_dead_letters_of_consumers_and_subscriptions_are_kept_told_about_and_gone_from_their_queues(
    mailroom: Mailroom, told: Told
) -> None:
    user_id = uuid4()
    body = due_body(mailroom, user_id)
    first = await mailroom.put(deadLetterReason="not a CloudEvents envelope", priority="critical")
    await mailroom.put(body, undelivered=True, queue="scheduler-outcomes", ErrorMessage="AccessDenied")
    await mailroom.put(body, queue="webhook-low")

    await mailroom.drain()

    rows = {row["queue"]: row for row in await mailroom.rows()}
    assert {name: (row["source"], row["reason"], row["status"]) for name, row in rows.items()} == {
        QUEUE: ("consumer", "not a CloudEvents envelope", "open"),
        "scheduler-outcomes": ("subscription", "not delivered by SNS: AccessDenied", "open"),
        "webhook-low": ("consumer", "received 5 times and not handled", "open"),
    }
    kept = rows[QUEUE]
    assert (kept["id"], kept["message_id"], kept["body"]) == (dead_letter_id(QUEUE, first), first, POISON)
    assert kept["attributes"] == '{"priority":{"type":"String","value":"critical"}}'
    assert (kept["subject"], kept["event_type"]) == (None, None)
    assert (rows["webhook-low"]["subject"], rows["webhook-low"]["event_type"]) == (user_id, "BirthdayDue")
    news = [event for _, event in await told() if isinstance(event, DeadLettered)]
    assert {(one.dead_letter_id, one.queue, one.source, one.reason) for one in news} == {
        (row["id"], row["queue"], row["source"], row["reason"]) for row in rows.values()
    }
    await mailroom.drain()
    assert len(await mailroom.rows()) == len(await told()) == 3


async def test_a_death_between_keeping_and_deleting_keeps_and_tells_once(
    mailroom: Mailroom, told: Told
) -> None:
    await mailroom.put()
    broker = mailroom.broker
    dead = await find_dead_letter_queue(
        broker.sqs, broker.environment, broker.topology.queues[QUEUE], "consumer"
    )
    assert dead is not None
    await broker.sqs.set_queue_attributes(QueueUrl=dead.url, Attributes={"VisibilityTimeout": "0"})
    await mailroom.keep(await receive_dead_letters(dead))

    await drain(dead, mailroom.keep)

    assert len(await mailroom.rows()) == len(await told()) == 1
    assert await receive_dead_letters(dead) == []


async def test_nothing_is_told_about_a_dead_letter_that_tells_of_one(mailroom: Mailroom, told: Told) -> None:
    await mailroom.put()
    await mailroom.drain()
    [(event_id, event)] = await told()
    assert isinstance(event, DeadLettered)
    out = Outgoing(event_id=event_id, subject=event_id, event=event)
    [message] = compose(mailroom.broker.topology, "webhook-worker", event.occurred_at, [out])

    await mailroom.put(message.body)
    await mailroom.drain()

    assert [row["event_type"] for row in await mailroom.rows()] == [None, "DeadLettered"]
    assert len(await told()) == 1


async def test_what_tells_of_a_deleted_user_is_erased_before_and_after_it_is_drained(
    mailroom: Mailroom, pool: Pool, topology: Topology
) -> None:
    early, late, living = uuid4(), uuid4(), uuid4()
    broken = f'{{"user": "{str(early).upper()}", "name": "Ada'
    for body in (due_body(mailroom, early), due_body(mailroom, living), broken, POISON):
        await mailroom.put(body, note="Ada")
    deletion = build.user_deleted(early)
    out = Outgoing(event_id=uuid4(), subject=early, event=deletion)
    [message] = compose(mailroom.broker.topology, "user-api", deletion.occurred_at, [out])
    await mailroom.put(message.body, queue="scheduler-user-events")
    await mailroom.drain()
    await mailroom.admin.execute("INSERT INTO delivery.deleted_users VALUES ($1), ($2)", early, late)

    await erase_some(pool, topology, NO_OFFSET)
    await mailroom.put(due_body(mailroom, late))
    await mailroom.drain()

    rows = await mailroom.rows()
    assert sorted(row["status"] for row in rows) == ["erased"] * 3 + ["open"] * 3
    erased = [row for row in rows if row["status"] == "erased"]
    assert {(row["body"], row["attributes"]) for row in erased} == {("", "{}")}
    assert {row["subject"] for row in erased} == {early, late, None}
    assert {row["event_type"] for row in rows if row["status"] == "open"} == {
        "BirthdayDue",
        "UserDeleted",
        None,
    }
    assert await mailroom.ask_back(*(row["id"] for row in erased)) == 0


async def test_a_queue_that_cannot_be_drained_keeps_no_other_waiting_and_loses_nothing(
    mailroom: Mailroom,
) -> None:
    url = await mailroom.broker.dead_letter_url(QUEUE)
    await mailroom.broker.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "0"})
    await mailroom.put()
    await mailroom.put(queue="webhook-low")

    async def keep(letters: Sequence[DeadLetter]) -> None:
        if letters[0].queue == QUEUE:
            raise ConnectionError("not now")
        await mailroom.keep(letters)

    await mailroom.drain(keep)
    assert [row["queue"] for row in await mailroom.rows()] == ["webhook-low"]

    await mailroom.drain()
    assert {row["queue"] for row in await mailroom.rows()} == {"webhook-low", QUEUE}


async def test_what_is_asked_back_arrives_as_it_was_at_the_queue_it_was_meant_for(mailroom: Mailroom) -> None:
    body = due_body(mailroom, uuid4())
    await mailroom.put(body, deadLetterReason="a bug", eventType="BirthdayDue", priority="critical")
    await mailroom.put(body, undelivered=True, queue="webhook-low", ErrorCode="AccessDenied")
    await mailroom.put(queue="webhook-high")
    await mailroom.drain()
    rows = {row["queue"]: row["id"] for row in await mailroom.rows()}

    assert await mailroom.redrive() == 0
    assert await mailroom.ask_back(rows[QUEUE], uuid4()) == 1
    assert await mailroom.ask_back(queue="webhook-low") == 1
    assert await mailroom.ask_back(rows[QUEUE], queue="webhook-low") == 0
    assert await mailroom.redrive() == 2

    [message] = await mailroom.arrived()
    assert message["Body"] == body
    assert {name: value["StringValue"] for name, value in message["MessageAttributes"].items()} == {
        "eventType": "BirthdayDue",
        "priority": "critical",
    }
    assert [one["Body"] for one in await mailroom.arrived("webhook-low")] == [body]
    assert await mailroom.arrived("webhook-high") == []
    states = {row["queue"]: (row["status"], row["redriven_at"] is not None) for row in await mailroom.rows()}
    assert states == {
        QUEUE: ("redriven", True),
        "webhook-low": ("redriven", True),
        "webhook-high": ("open", False),
    }
    assert await mailroom.redrive() == 0


async def test_a_death_between_sending_and_marking_sends_again_once_the_lease_has_run_out(
    mailroom: Mailroom,
) -> None:
    await mailroom.put()
    await mailroom.drain()
    await mailroom.ask_back(queue=QUEUE)
    await mailroom.redrive()
    await mailroom.admin.execute(
        "UPDATE delivery.dead_letters SET status = 'redriving', redriven_at = NULL, lease_until = 'infinity'"
    )

    assert await mailroom.redrive() == 0
    await mailroom.admin.execute("UPDATE delivery.dead_letters SET lease_until = now()")
    assert sum(await asyncio.gather(mailroom.redrive(), mailroom.redrive())) == 1

    assert len(await mailroom.arrived()) == 2
    assert [row["status"] for row in await mailroom.rows()] == ["redriven"]


async def test_what_can_never_be_sent_back_is_open_again_with_the_reason(mailroom: Mailroom) -> None:
    await mailroom.put()
    await mailroom.drain()
    await mailroom.admin.execute("UPDATE delivery.dead_letters SET queue = 'gone-since'")
    await mailroom.ask_back(queue="gone-since")

    assert await mailroom.redrive() == 1

    assert [(row["status"], row["redrive_error"]) for row in await mailroom.rows()] == [
        ("open", "there is no such queue")
    ]


async def test_whatever_statement_a_worker_dies_at_a_dead_letter_is_kept_told_once_and_sent_back(
    mailroom: Mailroom, told: Told, database: FreshDatabase
) -> None:
    url, broker = database.url("carillon_webhook_worker"), mailroom.broker
    dead = await find_dead_letter_queue(
        broker.sqs, broker.environment, broker.topology.queues[QUEUE], "consumer"
    )
    assert dead is not None
    await mailroom.put()
    letters = await receive_dead_letters(dead)

    async def keep(pool: Pool) -> None:
        await keep_dead_letters(pool, broker.topology, NO_OFFSET, letters)

    async def send_back(pool: Pool) -> None:
        await redrive(pool, broker.sqs, broker.environment)

    for number in range(await statements_of(keep, url) + 1):
        await mailroom.admin.execute("TRUNCATE delivery.dead_letters, outbox.messages")
        await crash_after(number, work=keep, url=url, admin=mailroom.admin)
        await mailroom.keep(letters)
        assert len(await mailroom.rows()) == len(await told()) == 1

    await mailroom.ask_back(queue=QUEUE)
    for number in range(await statements_of(send_back, url) + 1):
        await mailroom.admin.execute(
            "UPDATE delivery.dead_letters SET status = 'redriving', redriven_at = NULL, lease_until = now()"
        )
        await mailroom.arrived()
        await crash_after(number, work=send_back, url=url, admin=mailroom.admin)
        await mailroom.admin.execute(
            "UPDATE delivery.dead_letters SET lease_until = now() WHERE status = 'redriving'"
        )
        await mailroom.redrive()
        assert [row["status"] for row in await mailroom.rows()] == ["redriven"]
        assert {one["Body"] for one in await mailroom.arrived()} == {POISON}
