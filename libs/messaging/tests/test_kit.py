import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from domain.events import BirthdayDue, UserDeleted
from messaging.kit import consume, listen
from messaging.listening import Listening, comes_again_in
from messaging.queue import OpenQueue
from messaging.topology import queue_name
from opentelemetry import trace
from runtime.stopping import Stop
from runtime.waiting import StartFailedError
from structlog.testing import capture_logs
from testkit.broker import Broker, open_broker
from testkit.engine import REGION, Engine
from testkit.traffic import body, counts, dead_letters, is_empty, running, send, send_bodies
from testkit.wait import eventually

POISON = UUID("00000000-0000-4000-8000-000000000666")


class Loop:
    """A consumer as a stranger writes it: a loop over one queue, whose body may be made to fail."""

    def __init__(self, listening: Listening, in_body: Callable[[UUID], Any] = lambda _: None) -> None:
        self.done: list[UUID] = []
        self._listening = listening
        self._in_body = in_body

    async def run(self) -> None:
        async for event in consume(self._listening, types=[UserDeleted]):
            if (waiting := self._in_body(event.user_id)) is not None:
                await waiting
            self.done.append(event.user_id)

    async def keep_running(self) -> None:
        while not self._listening.stop.is_set():
            try:
                await self.run()
            except ValueError:
                continue


@asynccontextmanager
async def listening(broker: Broker, stop: Stop | None = None) -> AsyncIterator[Listening]:
    name = queue_name(broker.environment, "test")
    async with listen(name, region=REGION, stop=stop or asyncio.Event()) as opened:
        yield opened


def fail_on(poison: UUID) -> Callable[[UUID], None]:
    def fail(user_id: UUID) -> None:
        if user_id == poison:
            raise ValueError("cannot be handled")

    return fail


async def test_an_event_is_done_when_the_loop_comes_back_for_the_next(
    one_queue: Broker, queue: OpenQueue
) -> None:
    first, second = uuid4(), uuid4()
    await send(one_queue, [first])

    async with listening(one_queue) as opened:
        async for event in consume(opened, types=[UserDeleted]):
            if event.user_id == second:
                break
            assert await counts(queue) == (0, 1)  # in hand, and of nobody else's
            await send(one_queue, [second])
        else:
            pytest.fail("nothing came")
        assert await counts(queue) == (0, 1)  # the first is deleted, the second in hand


@pytest.mark.parametrize("how", ["raise", "break", "cancel"])
async def test_an_event_whose_body_does_not_come_back_comes_again(
    one_queue: Broker, queue: OpenQueue, how: str
) -> None:
    event_id = uuid4()
    await send(one_queue, [event_id])

    async def once() -> None:
        async with listening(one_queue) as opened:
            async for event in consume(opened, types=[UserDeleted]):
                assert event.user_id == event_id
                if how == "raise":
                    raise ValueError
                if how == "cancel":
                    raise asyncio.CancelledError
                break

    await asyncio.gather(asyncio.create_task(once()), return_exceptions=True)

    stop = asyncio.Event()
    async with listening(one_queue, stop) as opened:
        again = Loop(opened)
        async with running(again.run, stop):
            # Long before its visibility (30 s) runs out.
            await eventually(lambda: again.done == [event_id])
    assert await is_empty(queue)


async def test_a_poisonous_event_is_left_to_the_redrive_and_the_loop_goes_on(
    one_queue: Broker, queue: OpenQueue
) -> None:
    ids, stop = [uuid4() for _ in range(12)], asyncio.Event()
    await send(one_queue, [*ids[:4], POISON, *ids[4:]])

    async with listening(one_queue, stop) as opened:
        loop = Loop(opened, fail_on(POISON))
        async with running(loop.keep_running, stop):
            [dead] = await eventually(lambda: dead_letters(queue), within=20)
            await eventually(lambda: is_empty(queue))

    assert sorted(loop.done) == sorted(ids)
    assert dead["Body"] == body(one_queue, POISON)


async def test_told_to_stop_it_ends_with_the_event_in_hand_and_gives_the_others_back(
    one_queue: Broker, queue: OpenQueue
) -> None:
    stop = asyncio.Event()
    await send(one_queue, [uuid4() for _ in range(10)])

    async with listening(one_queue, stop) as opened:
        loop = Loop(opened, lambda _: stop.set())
        async with asyncio.timeout(5):
            await loop.run()

    assert len(loop.done) == 1
    assert await counts(queue) == (9, 0)  # at once, though their visibility is 30 s


async def test_told_to_stop_while_it_waits_it_ends_at_once(one_queue: Broker) -> None:
    stop = asyncio.Event()
    async with listening(one_queue, stop) as opened:
        waiting = asyncio.create_task(Loop(opened).run())
        await asyncio.sleep(0)
        stop.set()
        async with asyncio.timeout(1):
            await waiting


async def test_a_body_that_takes_longer_than_the_visibility_keeps_its_event_and_those_that_wait(
    one_queue: Broker, hasty_queue: OpenQueue
) -> None:
    ids, stop, seen = [uuid4() for _ in range(2)], asyncio.Event(), list[tuple[int, int]]()
    await send(one_queue, ids)

    async def slowly(_: UUID) -> None:
        await asyncio.sleep(1.5 * hasty_queue.queue.visibility_seconds)
        seen.append(await counts(hasty_queue))

    async with listening(one_queue, stop) as opened:
        slow = Loop(opened, slowly)
        async with running(slow.run, stop):
            await eventually(lambda: is_empty(hasty_queue))

    assert sorted(slow.done) == sorted(ids)
    assert seen == [(0, 2), (0, 1)]  # nothing for anybody else


async def test_types_that_nobody_asked_for_are_removed_and_said_once(
    one_queue: Broker, queue: OpenQueue
) -> None:
    event_id, stop = uuid4(), asyncio.Event()
    next_version = msgspec.json.decode(body(one_queue, event_id)) | {"type": "carillon.BirthdayDue.v9"}
    await send_bodies(one_queue, [msgspec.json.encode(next_version).decode()] * 2)
    await send(one_queue, [event_id] * 2)

    async def run(opened: Listening) -> None:
        async for _ in consume(opened, types=[BirthdayDue]):
            pytest.fail("it was not asked for")

    with capture_logs() as logs:
        async with listening(one_queue, stop) as opened, running(lambda: run(opened), stop):
            await eventually(lambda: is_empty(queue))

    said = [line["reason"] for line in logs if line["event"] == "event.ignored"]
    assert sorted(said) == ["UserDeleted is not asked for", "unknown event type 'carillon.BirthdayDue.v9'"]
    assert await dead_letters(queue) == []


async def test_what_nobody_can_read_is_dead_lettered_with_the_reason(
    one_queue: Broker, queue: OpenQueue
) -> None:
    event_id, stop = uuid4(), asyncio.Event()
    await send_bodies(one_queue, ["ring!", body(one_queue, event_id)])

    async with listening(one_queue, stop) as opened:
        loop = Loop(opened)
        async with running(loop.run, stop):
            [dead] = await eventually(lambda: dead_letters(queue))
            await eventually(lambda: is_empty(queue))

    assert loop.done == [event_id]
    reason = dead["MessageAttributes"]["deadLetterReason"]["StringValue"]
    assert reason.startswith("not a CloudEvents envelope")


async def test_an_event_that_is_repeated_is_known_and_one_that_failed_is_not(
    one_queue: Broker, queue: OpenQueue
) -> None:
    first, last, stop, tries = uuid4(), uuid4(), asyncio.Event(), list[UUID]()
    await send(one_queue, [first, first])

    def fail_once(user_id: UUID) -> None:
        tries.append(user_id)
        if len(tries) == 1:
            raise ValueError

    async with listening(one_queue, stop) as opened:
        loop = Loop(opened, fail_once)
        async with running(loop.keep_running, stop):
            await eventually(lambda: is_empty(queue))
            await send(one_queue, [last, first])
            await eventually(lambda: last in loop.done)
            await eventually(lambda: is_empty(queue))

    assert loop.done == [first, last]
    assert tries == [first, first, last]


async def test_the_trace_of_its_message_goes_on_in_the_body(one_queue: Broker, queue: OpenQueue) -> None:
    trace_id = f"{0xC0FFEE:032x}"
    await one_queue.sqs.send_message(
        QueueUrl=queue.url,
        MessageBody=body(one_queue, uuid4()),
        MessageAttributes={
            "traceparent": {"DataType": "String", "StringValue": f"00-{trace_id}-00f067aa0ba902b7-01"}
        },
    )
    stop, traced = asyncio.Event(), list[str]()

    def look(_: UUID) -> None:
        traced.append(f"{trace.get_current_span().get_span_context().trace_id:032x}")
        stop.set()

    async with listening(one_queue, stop) as opened:
        await Loop(opened, look).run()

    assert traced == [trace_id]
    assert not trace.get_current_span().get_span_context().is_valid


async def test_after_the_broker_was_killed_the_loop_goes_on(own_engine: Engine, one_queue_file: Path) -> None:
    first, second, stop = uuid4(), uuid4(), asyncio.Event()
    async with open_broker(own_engine, one_queue_file, "restart") as broker:
        with capture_logs():
            async with listening(broker, stop) as opened:
                loop = Loop(opened)
                async with running(loop.run, stop):
                    await send(broker, [first])
                    await eventually(lambda: loop.done == [first])
                    own_engine.kill()
                    own_engine.start()
                    await send(broker, [second])
                    await eventually(lambda: second in loop.done, within=30)


async def test_a_queue_without_dead_letter_queue_is_named(one_queue: Broker) -> None:
    name = f"carillon-{one_queue.environment}-bare"
    await one_queue.sqs.create_queue(QueueName=name)

    with pytest.raises(StartFailedError, match=f"queue {name} did not come .* no dead-letter queue"):
        async with listen(name, region=REGION, stop=asyncio.Event(), within=0.3):
            pass


def test_what_is_given_back_comes_again_ever_later_and_within_a_quarter_of_an_hour() -> None:
    assert [comes_again_in(receives) for receives in (1, 2, 3, 4, 5, 6, 1000)] == [
        1,
        4,
        16,
        64,
        256,
        900,
        900,
    ]
