import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest
from messaging.consume import Received
from messaging.consume_once import consume_once
from messaging.queue import REASON, OpenQueue
from structlog.testing import capture_logs
from testkit.broker import Broker
from testkit.traffic import body, counts, send, send_bodies


async def test_all_that_waits_is_handled_and_deleted_and_then_it_ends(
    one_queue: Broker, hasty_queue: OpenQueue
) -> None:
    ids = {uuid4() for _ in range(130)}
    await send(one_queue, ids)
    handled: list[UUID] = []

    async def handle(batch: Sequence[Received]) -> None:
        handled.extend(received.event_id for received in batch)

    assert await consume_once(hasty_queue, handle, asyncio.Event()) == 130
    assert (len(handled), set(handled)) == (130, ids)
    assert sum(await counts(hasty_queue)) == 0
    assert await consume_once(hasty_queue, handle, asyncio.Event()) == 0


async def test_what_fails_alone_is_left_to_redrive_and_what_nobody_can_read_is_dead_lettered(
    one_queue: Broker, hasty_queue: OpenQueue
) -> None:
    poison, *good = (uuid4() for _ in range(4))
    await send_bodies(one_queue, ["{}", *(body(one_queue, event_id) for event_id in (poison, *good))])
    handled: list[UUID] = []

    async def handle(batch: Sequence[Received]) -> None:
        if poison in {received.event_id for received in batch}:
            raise KeyError("poison")
        handled.extend(received.event_id for received in batch)

    with capture_logs() as logs:
        count = await consume_once(hasty_queue, handle, asyncio.Event())

    assert (count, set(handled)) == (3, set(good))
    failed = [line["event_id"] for line in logs if line["event"] == "message.failed"]
    assert set(failed) == {str(poison)}
    answer = await hasty_queue.sqs.receive_message(
        QueueUrl=hasty_queue.dead_letter_url, WaitTimeSeconds=5, MessageAttributeNames=["All"]
    )
    [dead] = answer["Messages"]
    assert dead["MessageAttributes"][REASON]["StringValue"].startswith("not a CloudEvents envelope")


async def test_with_the_database_away_it_ends_with_the_reason_and_keeps_the_messages(
    one_queue: Broker, hasty_queue: OpenQueue
) -> None:
    await send(one_queue, [uuid4()])

    async def away(_: Sequence[Received]) -> None:
        raise ConnectionRefusedError("the database is away")

    with pytest.raises(ConnectionRefusedError):
        await consume_once(hasty_queue, away, asyncio.Event())

    assert sum(await counts(hasty_queue)) == 1


async def test_told_to_stop_it_receives_no_more(one_queue: Broker, hasty_queue: OpenQueue) -> None:
    await send(one_queue, [uuid4()])
    stop = asyncio.Event()
    stop.set()

    async def handle(_: Sequence[Received]) -> None:
        raise AssertionError("nothing is received")

    assert await consume_once(hasty_queue, handle, stop) == 0
    assert sum(await counts(hasty_queue)) == 1
