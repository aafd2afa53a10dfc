import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
from messaging.consume import MOST_UNDER_WAY, Consumer, Handle, Received
from messaging.queue import OpenQueue, open_queue
from messaging.slots import Slots
from msgspec import structs
from runtime.waiting import StartFailedError
from structlog.testing import capture_logs
from testkit.broker import Broker, open_broker
from testkit.engine import Engine
from testkit.traffic import body, counts, dead_letters, is_empty, send, send_bodies
from testkit.wait import eventually

POISON = UUID("00000000-0000-4000-8000-000000000666")


@asynccontextmanager
async def consuming(
    queue: OpenQueue, handle: Handle, *, slots: Slots | None = None, merge_seconds: float = 0.02
) -> AsyncIterator[Consumer]:
    stop = asyncio.Event()
    consumer = Consumer(queue, handle, slots=slots, merge_seconds=merge_seconds)
    running = asyncio.create_task(consumer.run(stop))
    try:
        yield consumer
    finally:
        stop.set()
        async with asyncio.timeout(10):
            await running


def ids_of(batch: Sequence[Received]) -> list[UUID]:
    return [received.event_id for received in batch]


class Handled:
    """A handler that keeps what it was given."""

    def __init__(self) -> None:
        self.batches: list[list[UUID]] = []

    async def __call__(self, batch: Sequence[Received]) -> None:
        self.batches.append(ids_of(batch))

    @property
    def ids(self) -> list[UUID]:
        return sorted(event_id for batch in self.batches for event_id in batch)


async def test_several_receives_are_handled_together_and_deleted(one_queue: Broker, queue: OpenQueue) -> None:
    ids, handled = sorted(uuid4() for _ in range(30)), Handled()
    await send(one_queue, ids)

    async with consuming(queue, handled, merge_seconds=0.3):
        await eventually(lambda: len(handled.ids) >= 30)
        await eventually(lambda: is_empty(queue))

    assert handled.ids == ids
    assert max(map(len, handled.batches)) > 10


async def test_a_poisonous_message_is_left_to_the_redrive_and_the_rest_of_its_batch_is_handled(
    one_queue: Broker, hasty_queue: OpenQueue
) -> None:
    ids, handled = sorted(uuid4() for _ in range(12)), Handled()
    await send(one_queue, [*ids[:6], POISON, *ids[6:]])

    async def handle(batch: Sequence[Received]) -> None:
        if POISON in ids_of(batch):
            raise ValueError("cannot be handled")
        await handled(batch)

    with capture_logs() as logs:
        async with consuming(hasty_queue, handle, merge_seconds=0.3):
            await eventually(lambda: len(handled.ids) >= 12)
            [dead] = await eventually(lambda: dead_letters(hasty_queue))

    assert handled.ids == ids
    assert dead["Body"] == body(one_queue, POISON)
    failed = [said for said in logs if said["event"] == "message.failed"]
    assert {said["event_id"] for said in failed} == {str(POISON)}
    assert len(failed) == 2  # as often as it was received
    assert await counts(hasty_queue) == (0, 0)


@pytest.mark.parametrize(
    ("unreadable", "reason"),
    [
        ("ring!", "not a CloudEvents envelope: JSON is malformed: invalid character (byte 0)"),
        (
            '{"addedLater": ' + '{"a":' * 20_000,
            "not a CloudEvents envelope: maximum recursion depth exceeded while deserializing an object",
        ),
    ],
    ids=["not JSON", "nested too deep"],
)
async def test_an_undecodable_message_is_dead_lettered_with_the_reason_and_the_rest_is_handled(
    one_queue: Broker, queue: OpenQueue, unreadable: str, reason: str
) -> None:
    ids, handled = sorted(uuid4() for _ in range(4)), Handled()
    good = [body(one_queue, event_id) for event_id in ids]
    await send_bodies(one_queue, [*good[:2], unreadable, *good[2:]])

    async with consuming(queue, handled):
        await eventually(lambda: len(handled.ids) >= 4)
        await eventually(lambda: is_empty(queue))
        [dead] = await eventually(lambda: dead_letters(queue))

    assert handled.ids == ids
    assert dead["Body"] == unreadable
    assert dead["MessageAttributes"]["deadLetterReason"]["StringValue"] == reason


async def test_a_dead_letter_keeps_its_attributes_within_the_ten_that_sqs_takes(
    one_queue: Broker, queue: OpenQueue
) -> None:
    await one_queue.sqs.send_message(
        QueueUrl=queue.url,
        MessageBody="ring!",
        MessageAttributes={
            f"a{number}": {"DataType": "String", "StringValue": str(number)} for number in range(10)
        },
    )

    async with consuming(queue, Handled()):
        [dead] = await eventually(lambda: dead_letters(queue))

    assert len(dead["MessageAttributes"]) == 10
    assert "deadLetterReason" in dead["MessageAttributes"]


async def test_an_event_of_the_wrong_kind_does_not_hold_up_the_others(
    one_queue: Broker, queue: OpenQueue
) -> None:
    handled, event_id = Handled(), uuid4()
    unknown = msgspec.json.decode(body(one_queue, event_id)) | {"type": "carillon.Unheard.v1"}
    await send_bodies(one_queue, [msgspec.json.encode(unknown).decode(), body(one_queue, event_id)])

    async with consuming(queue, handled):
        await eventually(lambda: is_empty(queue))
        [dead] = await eventually(lambda: dead_letters(queue))

    assert handled.ids == [event_id]
    assert dead["MessageAttributes"]["deadLetterReason"]["StringValue"] == (
        "unknown event type 'carillon.Unheard.v1'"
    )


async def test_a_batch_that_takes_longer_than_the_visibility_is_kept_from_others(
    one_queue: Broker, hasty_queue: OpenQueue
) -> None:
    handled = Handled()
    await send(one_queue, [uuid4() for _ in range(12)])

    async def slowly(batch: Sequence[Received]) -> None:
        await handled(batch)
        await asyncio.sleep(2.5 * hasty_queue.queue.visibility_seconds)

    async with consuming(hasty_queue, slowly, merge_seconds=0.3):
        await eventually(lambda: is_empty(hasty_queue))

    assert len(handled.ids) == len(set(handled.ids)) == 12
    assert await dead_letters(hasty_queue) == []


async def test_while_the_database_is_away_a_batch_waits_and_is_neither_lost_nor_dead_lettered(
    one_queue: Broker, hasty_queue: OpenQueue
) -> None:
    ids, tries = sorted(uuid4() for _ in range(5)), list[list[UUID]]()
    await send(one_queue, ids)

    async def handle(batch: Sequence[Received]) -> None:
        tries.append(sorted(ids_of(batch)))
        if len(tries) <= 4:  # 0.1 + 0.2 + 0.4 + 0.8 s: longer than the queue's visibility
            raise ConnectionRefusedError("the database is away")

    with capture_logs() as logs:
        async with consuming(hasty_queue, handle, merge_seconds=0.3):
            await eventually(lambda: is_empty(hasty_queue))

    assert tries == [ids] * 5
    assert len([said for said in logs if said["event"] == "batch.waits"]) == 4
    assert await dead_letters(hasty_queue) == []


async def test_told_to_stop_while_the_database_is_away_it_leaves_the_batch_for_its_successor(
    one_queue: Broker, queue: OpenQueue
) -> None:
    tried = asyncio.Event()
    await send(one_queue, [uuid4()])

    async def handle(_: Sequence[Received]) -> None:
        tried.set()
        raise ConnectionRefusedError("the database is away")

    with capture_logs():
        async with consuming(queue, handle):
            await tried.wait()

    assert sum(await counts(queue)) == 1
    assert await dead_letters(queue) == []


async def test_what_was_received_before_stop_is_handled_and_deleted_however_much_it_is(
    one_queue: Broker, queue: OpenQueue
) -> None:
    stop, go_on, handled = asyncio.Event(), asyncio.Event(), Handled()
    total = MOST_UNDER_WAY + 100
    await send(one_queue, [uuid4() for _ in range(total)])

    async def handle(batch: Sequence[Received]) -> None:
        await go_on.wait()
        await handled(batch)

    async def in_hand() -> bool:
        return (await counts(queue))[1] == MOST_UNDER_WAY

    running = asyncio.create_task(Consumer(queue, handle).run(stop))
    await eventually(in_hand, within=20)  # and no more than that
    stop.set()
    await asyncio.sleep(0)
    go_on.set()
    async with asyncio.timeout(10):
        await running

    assert len(set(handled.ids)) == len(handled.ids) == MOST_UNDER_WAY
    assert max(map(len, handled.batches)) < 510
    assert await counts(queue) == (total - MOST_UNDER_WAY, 0)


async def test_with_slots_never_more_than_that_many_are_under_way(
    one_queue: Broker, queue: OpenQueue
) -> None:
    slots, done, most = Slots(7), list[UUID](), 0
    under_way = set[asyncio.Task[None]]()
    ids = sorted(uuid4() for _ in range(60))
    await send(one_queue, ids)

    async def work(received: Received) -> None:
        await asyncio.sleep(0.02)
        done.append(received.event_id)
        slots.release()

    async def handle(batch: Sequence[Received]) -> None:
        nonlocal most
        for received in batch:
            task = asyncio.create_task(work(received))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        most = max(most, len(under_way))

    async with consuming(queue, handle, slots=slots):
        await eventually(lambda: len(done) >= 60)
        await eventually(lambda: is_empty(queue))

    assert sorted(done) == ids
    assert 1 < most <= 7
    assert slots.free == 7


async def test_slots_come_back_from_messages_that_could_not_be_read_or_handled(
    one_queue: Broker, hasty_queue: OpenQueue
) -> None:
    slots, handled = Slots(2), Handled()
    good = [uuid4() for _ in range(5)]
    bad = ["ring!"] * 5 + [body(one_queue, POISON)]
    await send_bodies(one_queue, [*bad, *(body(one_queue, event_id) for event_id in good)])

    async def handle(batch: Sequence[Received]) -> None:
        if POISON in ids_of(batch):
            raise ValueError("cannot be handled")
        await handled(batch)
        slots.release(len(batch))

    with capture_logs():
        async with consuming(hasty_queue, handle, slots=slots):
            await eventually(lambda: is_empty(hasty_queue))

    assert handled.ids == sorted(good)
    assert slots.free == 2


async def test_after_the_broker_was_killed_consuming_goes_on(
    own_engine: Engine, one_queue_file: Path
) -> None:
    first, second, handled = uuid4(), uuid4(), Handled()
    async with open_broker(own_engine, one_queue_file, "restart") as broker:
        queue = await open_test_queue(broker)
        with capture_logs():
            async with consuming(queue, handled) as consumer:
                await send(broker, [first])
                await eventually(lambda: handled.ids == [first])
                await consumer.check()

                own_engine.kill()
                own_engine.start()
                await send(broker, [second])

                await eventually(lambda: second in handled.ids, within=30)
                await consumer.check()

    assert set(handled.ids) == {first, second}


async def test_a_consumer_whose_queue_is_gone_says_so_and_goes_on_once_it_is_back(
    one_queue: Broker, queue: OpenQueue
) -> None:
    event_id, handled = uuid4(), Handled()
    gone = structs.replace(queue, url=f"{queue.url}-gone")

    async def has_trouble(consumer: Consumer) -> bool:
        try:
            await consumer.check()
        except ConnectionError as error:
            return "ReceiveMessage" in str(error)
        return False

    with capture_logs() as logs:
        async with consuming(gone, handled) as consumer:
            await eventually(lambda: has_trouble(consumer))
            await eventually(lambda: [said["event"] for said in logs].count("loop.failed") >= 4)
            await one_queue.sqs.create_queue(QueueName=gone.url.rpartition("/")[2])
            await one_queue.sqs.send_message(QueueUrl=gone.url, MessageBody=body(one_queue, event_id))
            await eventually(lambda: handled.ids == [event_id])
            await consumer.check()


async def test_a_queue_that_is_not_made_in_time_is_named(one_queue: Broker) -> None:
    with pytest.raises(StartFailedError, match=f"queue carillon-{one_queue.environment}x-test did not come"):
        await open_queue(
            one_queue.sqs,
            f"{one_queue.environment}x",
            one_queue.topology.queues["test"],
            asyncio.Event(),
            within=0.3,
        )


async def open_test_queue(broker: Broker) -> OpenQueue:
    queue = broker.topology.queues["test"]
    return await open_queue(broker.sqs, broker.environment, queue, asyncio.Event(), within=10)
