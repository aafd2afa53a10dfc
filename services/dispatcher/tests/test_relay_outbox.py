import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from uuid import uuid4

import pytest
from dispatcher.relay_outbox import relay_batch, relay_outbox
from domain.priority import Priority
from messaging.envelope import Message
from messaging.outbox import append
from messaging.publish import Published, Refused, publish_all
from runtime.database import Pool
from structlog.testing import capture_logs
from testkit.broker import Broker, open_broker
from testkit.engine import Engine
from testkit.fresh_database import FreshDatabase
from testkit.wait import eventually

LEASE = timedelta(seconds=30)
SCHEDULER = "carillon_scheduler"


def message(body: str = "ring", priority: Priority = Priority.NORMAL) -> Message:
    return Message(
        event_id=uuid4(),
        event_type="UserDeleted",
        priority=priority,
        group_id="a user",
        attributes={"eventType": "UserDeleted", "priority": priority.value},
        body=body,
    )


async def append_all(database: FreshDatabase, messages: Sequence[Message]) -> None:
    await append(await database.connect(SCHEDULER), messages)


async def count(database: FreshDatabase) -> int:
    admin = await database.connect()
    return int(await admin.fetchval("SELECT count(*) FROM outbox.messages"))


async def insert_many(database: FreshDatabase, number: int, priority: Priority) -> None:
    admin = await database.connect()
    await admin.execute(
        """
        INSERT INTO outbox.messages (event_id, event_type, priority, group_id, attributes, body)
        SELECT gen_random_uuid(), 'UserDeleted', $2, 'a user', '{}', $3 FROM generate_series(1, $1)
        """,
        number,
        priority.rank,
        priority.value,
    )


class Taking:
    """Publishes by keeping what it is given; SNS takes all of it."""

    def __init__(self) -> None:
        self.batches: list[list[Message]] = []

    async def __call__(self, messages: Sequence[Message]) -> Published:
        self.batches.append(list(messages))
        return Published(list(range(len(messages))), [], [])

    @property
    def messages(self) -> list[Message]:
        return [each for batch in self.batches for each in batch]


async def refusing(messages: Sequence[Message]) -> Published:
    return Published([], [Refused(index, f"bad {each.body}") for index, each in enumerate(messages)], [])


async def failing(messages: Sequence[Message]) -> Published:
    return Published([], [], list(range(len(messages))))


async def dying(_: Sequence[Message]) -> Published:
    raise ConnectionAbortedError("killed while publishing")


async def test_what_sns_took_arrives_and_is_deleted(
    database: FreshDatabase, pool: Pool, broker: Broker
) -> None:
    arns = {name: broker.topic_arn(kind.topic) for name, kind in broker.topology.event_types.items()}
    publish = partial(publish_all, broker.sns, arns, at_once=4)
    await append_all(database, [message(f"{number:02}") for number in range(12)])

    assert await relay_batch(pool, publish, batch=500, lease=LEASE) == 12

    assert await count(database) == 0
    url, received = await broker.queue_url("scheduler-user-events"), list[str]()
    async with asyncio.timeout(10):
        while len(received) < 12:
            answer = await broker.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            received += [each["Body"] for each in answer.get("Messages", [])]
    assert sorted(received) == [f"{number:02}" for number in range(12)]


async def test_a_message_is_published_as_it_was_appended(database: FreshDatabase, pool: Pool) -> None:
    taking, appended = Taking(), [message('Zoë\'s "ring" \\ 🎂', priority) for priority in Priority]
    await append_all(database, appended)

    await relay_batch(pool, taking, batch=500, lease=LEASE)

    assert taking.messages == appended


async def test_an_append_that_is_rolled_back_is_never_sent(database: FreshDatabase, pool: Pool) -> None:
    taking, connection = Taking(), await database.connect(SCHEDULER)
    transaction = connection.transaction()
    await transaction.start()
    await append(connection, [message()])

    assert await relay_batch(pool, taking, batch=500, lease=LEASE) == 0
    await transaction.rollback()
    assert await relay_batch(pool, taking, batch=500, lease=LEASE) == 0
    assert taking.messages == []


async def test_a_message_that_commits_after_later_ones_were_sent_is_sent_too(
    database: FreshDatabase, pool: Pool
) -> None:
    taking, connection = Taking(), await database.connect(SCHEDULER)
    transaction = connection.transaction()
    await transaction.start()
    await append(connection, [message("slow")])
    await append_all(database, [message("quick")])

    await relay_batch(pool, taking, batch=500, lease=LEASE)
    await transaction.commit()
    await relay_batch(pool, taking, batch=500, lease=LEASE)

    assert [each.body for each in taking.messages] == ["quick", "slow"]


async def test_what_is_refused_for_good_is_kept_with_the_reason(database: FreshDatabase, pool: Pool) -> None:
    admin, [one, two] = await database.connect(), [message("one"), message("two")]
    await append_all(database, [one, two])

    with capture_logs() as logs:
        assert await relay_batch(pool, refusing, batch=500, lease=LEASE) == 2

    rows = await admin.fetch("SELECT event_id, body, priority, group_id, reason FROM outbox.rejected")
    assert sorted(tuple(row) for row in rows) == sorted(
        [(one.event_id, "one", 2, "a user", "bad one"), (two.event_id, "two", 2, "a user", "bad two")]
    )
    assert await count(database) == 0
    assert [(said["event"], said["reasons"]) for said in logs] == [
        ("outbox.rejected", ["bad one", "bad two"])
    ]


async def test_of_one_batch_each_message_has_its_own_end(database: FreshDatabase, pool: Pool) -> None:
    admin = await database.connect()
    await append_all(database, [message("taken"), message("refused"), message("failed")])

    async def publish(messages: Sequence[Message]) -> Published:
        places = {each.body: index for index, each in enumerate(messages)}
        return Published([places["taken"]], [Refused(places["refused"], "bad")], [places["failed"]])

    with capture_logs():
        await relay_batch(pool, publish, batch=500, lease=LEASE)

    assert [row["body"] for row in await admin.fetch("SELECT body FROM outbox.messages")] == ["failed"]
    assert [row["body"] for row in await admin.fetch("SELECT body FROM outbox.rejected")] == ["refused"]


async def test_what_failed_for_now_is_given_back_and_waits_twice_as_long_each_time_up_to_5_s(
    database: FreshDatabase, pool: Pool
) -> None:
    admin, waits = await database.connect(), []
    await append_all(database, [message()])

    for _ in range(8):
        await admin.execute("UPDATE outbox.messages SET available_at = now()")
        assert await relay_batch(pool, failing, batch=500, lease=LEASE) == 0
        row = await admin.fetchrow(
            """
            SELECT lease_token, extract(epoch FROM available_at - clock_timestamp()) AS left
            FROM outbox.messages
            """
        )
        assert row is not None
        assert row["lease_token"] is None
        waits.append(float(row["left"]))

    for wait, expected in zip(waits, [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5], strict=True):
        assert expected - 0.5 < wait <= expected
    assert await relay_batch(pool, Taking(), batch=500, lease=LEASE) == 0  # it is not its time yet


def lanes(messages: Iterable[Message]) -> list[tuple[Priority, int]]:
    return [(priority, len(list(each))) for priority, each in groupby(messages, lambda one: one.priority)]


async def test_ten_thousand_others_do_not_hold_up_what_is_critical(
    database: FreshDatabase, pool: Pool
) -> None:
    taking = Taking()
    await insert_many(database, 10_000, Priority.NORMAL)
    await insert_many(database, 3, Priority.CRITICAL)

    await relay_batch(pool, taking, batch=500, lease=LEASE)

    assert lanes(taking.messages) == [(Priority.CRITICAL, 3), (Priority.NORMAL, 497)]


async def test_what_is_low_still_gets_its_share_of_every_batch(database: FreshDatabase, pool: Pool) -> None:
    taking = Taking()
    for priority in Priority:
        await insert_many(database, 600, priority)

    await relay_batch(pool, taking, batch=500, lease=LEASE)

    assert lanes(taking.messages) == [
        (Priority.CRITICAL, 250),
        (Priority.HIGH, 125),
        (Priority.NORMAL, 75),
        (Priority.LOW, 50),
    ]


async def test_what_one_priority_leaves_free_the_most_urgent_take(
    database: FreshDatabase, pool: Pool
) -> None:
    taking = Taking()
    await insert_many(database, 400, Priority.CRITICAL)
    await insert_many(database, 10, Priority.HIGH)
    await insert_many(database, 400, Priority.LOW)

    await relay_batch(pool, taking, batch=500, lease=LEASE)

    assert lanes(taking.messages) == [(Priority.CRITICAL, 400), (Priority.HIGH, 10), (Priority.LOW, 90)]


async def test_the_oldest_of_a_priority_go_first(database: FreshDatabase, pool: Pool) -> None:
    admin, taking = await database.connect(), Taking()
    for body, age in (("new", 1), ("oldest", 3), ("old", 2)):
        await append_all(database, [message(body)])
        await admin.execute(
            "UPDATE outbox.messages SET available_at = now() - $1::int * interval '1 minute' WHERE body = $2",
            age,
            body,
        )

    for _ in range(3):
        await relay_batch(pool, taking, batch=1, lease=LEASE)

    assert [each.body for each in taking.messages] == ["oldest", "old", "new"]


async def test_several_relays_share_the_work_and_send_nothing_twice(
    database: FreshDatabase, pool: Pool
) -> None:
    takings, stop = [Taking() for _ in range(4)], asyncio.Event()
    await insert_many(database, 3_000, Priority.NORMAL)

    relays = [
        asyncio.create_task(relay_outbox(pool, taking, stop, batch=50, lease=LEASE)) for taking in takings
    ]
    await eventually(lambda: is_empty(database))
    stop.set()
    await asyncio.gather(*relays)

    sent = [each.event_id for taking in takings for each in taking.messages]
    assert len(sent) == len(set(sent)) == 3_000
    assert all(taking.messages for taking in takings)


async def is_empty(database: FreshDatabase) -> bool:
    return await count(database) == 0


async def test_a_locked_message_is_passed_over_and_not_waited_for(
    database: FreshDatabase, pool: Pool
) -> None:
    taking, other = Taking(), await database.connect()
    await append_all(database, [message("locked"), message("free")])

    async with other.transaction():
        await other.execute("SELECT FROM outbox.messages WHERE body = 'locked' FOR UPDATE")
        async with asyncio.timeout(5):
            await relay_batch(pool, taking, batch=500, lease=LEASE)

    assert [each.body for each in taking.messages] == ["free"]


async def test_what_a_relay_had_when_it_died_is_sent_after_its_lease(
    database: FreshDatabase, pool: Pool
) -> None:
    taking, lease = Taking(), timedelta(seconds=0.5)
    await append_all(database, [message(str(number)) for number in range(3)])

    with pytest.raises(ConnectionAbortedError):
        await relay_batch(pool, dying, batch=500, lease=lease)
    assert await relay_batch(pool, taking, batch=500, lease=LEASE) == 0

    await eventually(lambda: relay_batch(pool, taking, batch=500, lease=LEASE))
    assert [each.body for each in taking.messages] == ["0", "1", "2"]
    assert await count(database) == 0


Publishing = Callable[[Sequence[Message]], Published]


@pytest.mark.parametrize(
    "outcome",
    [
        lambda messages: Published(list(range(len(messages))), [], []),
        lambda messages: Published([], [Refused(at, "bad") for at in range(len(messages))], []),
        lambda messages: Published([], [], list(range(len(messages)))),
    ],
    ids=["accepted", "refused", "failed"],
)
async def test_a_relay_whose_lease_ran_out_marks_nothing_that_another_has_leased(
    database: FreshDatabase, pool: Pool, outcome: Publishing
) -> None:
    admin = await database.connect()
    first_has_it, other_has_it, other_may_mark = asyncio.Event(), asyncio.Event(), asyncio.Event()
    await append_all(database, [message()])

    async def too_slow(messages: Sequence[Message]) -> Published:
        first_has_it.set()
        await other_has_it.wait()
        return outcome(messages)

    async def other(messages: Sequence[Message]) -> Published:
        other_has_it.set()
        await other_may_mark.wait()
        return Published(list(range(len(messages))), [], [])

    async def second() -> None:
        await first_has_it.wait()
        await eventually(lambda: relay_batch(pool, other, batch=500, lease=LEASE))

    with capture_logs():
        again = asyncio.create_task(second())
        async with asyncio.timeout(10):
            await relay_batch(pool, too_slow, batch=500, lease=timedelta(seconds=0.1))
        row = await admin.fetchrow(
            "SELECT tries, available_at > now() + interval '20 s' FROM outbox.messages"
        )
        assert row is not None
        assert tuple(row) == (2, True)  # the second lease, untouched
        other_may_mark.set()
        await again

    assert await count(database) == 0
    assert await admin.fetchval("SELECT count(*) FROM outbox.rejected") == 0


async def test_an_event_type_that_only_a_newer_release_knows_holds_up_nobody(
    database: FreshDatabase, pool: Pool, broker: Broker
) -> None:
    admin = await database.connect()
    arns = {"UserDeleted": broker.topic_arn("user-deleted")}
    await append_all(database, [message("one"), message("new"), message("two")])
    await admin.execute("UPDATE outbox.messages SET event_type = 'UserAdored' WHERE body = 'new'")

    with capture_logs():
        sent = await relay_batch(
            pool, partial(publish_all, broker.sns, arns, at_once=4), batch=9, lease=LEASE
        )

    assert sent == 2
    assert await admin.fetchval("SELECT array_agg(body) FROM outbox.messages") == ["new"]


async def test_a_burst_after_a_quiet_time_is_leased_by_index(database: FreshDatabase, pool: Pool) -> None:
    admin, taking = await database.connect(), Taking()
    # As after a quiet night: statistics that say empty, and plans already made.
    await admin.execute("ALTER TABLE outbox.messages SET (autovacuum_enabled = false)")
    await admin.execute("VACUUM ANALYZE outbox.messages")
    for _ in range(12):
        await relay_batch(pool, taking, batch=500, lease=LEASE)
    await insert_many(database, 50_000, Priority.NORMAL)

    async with asyncio.timeout(2):  # 0.03 s; by a plan from the quiet time, several seconds
        assert await relay_batch(pool, taking, batch=500, lease=LEASE) == 500


async def test_while_the_broker_is_away_nothing_is_lost_and_all_is_sent_when_it_is_back(
    database: FreshDatabase, pool: Pool, own_engine: Engine, one_queue_file: Path
) -> None:
    stop = asyncio.Event()
    async with open_broker(own_engine, one_queue_file, "away") as broker:
        arns = {"UserDeleted": broker.topic_arn("user-deleted")}
        publish = partial(publish_all, broker.sns, arns, at_once=4)
        own_engine.kill()
        await append_all(database, [message(f"{number:02}") for number in range(30)])
        with capture_logs():
            relay = asyncio.create_task(relay_outbox(pool, publish, stop, batch=500, lease=LEASE))
            await eventually(lambda: is_leased(database))
            own_engine.start()
            await eventually(lambda: is_empty(database), within=30)
            stop.set()
            await relay

        url, received = await broker.queue_url("test"), set[str]()
        async with asyncio.timeout(10):
            while len(received) < 30:
                answer = await broker.sqs.receive_message(
                    QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1
                )
                received |= {each["Body"] for each in answer.get("Messages", [])}

    assert received == {f"{number:02}" for number in range(30)}


async def is_leased(database: FreshDatabase) -> bool:
    admin = await database.connect()
    return bool(await admin.fetchval("SELECT count(*) = 30 FROM outbox.messages WHERE tries > 0"))
