import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import msgspec
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from aiohttp import web
from domain.priority import Priority
from hypothesis import given
from hypothesis import strategies as st
from messaging.envelope import Message
from messaging.publish import (
    MOST_BYTES,
    MOST_ENTRIES,
    Published,
    Refused,
    batches,
    fault,
    publish_all,
    publish_batch,
    size,
)
from structlog.testing import capture_logs
from testkit.broker import Broker
from testkit.ports import LOOPBACK, free_port
from types_aiobotocore_sns import SNSClient


def message(body: str = "ring", event_type: str = "UserDeleted", **attributes: str) -> Message:
    return Message(
        event_id=uuid4(),
        event_type=event_type,
        priority=Priority.NORMAL,
        group_id="a user",
        attributes=attributes,
        body=body,
    )


def arns(broker: Broker) -> dict[str, str]:
    return {name: broker.topic_arn(kind.topic) for name, kind in broker.topology.event_types.items()}


async def publish(broker: Broker, messages: Sequence[Message]) -> Published:
    published = await publish_all(broker.sns, arns(broker), messages, at_once=4)
    return Published(sorted(published.accepted), published.refused, sorted(published.failed))


async def bodies(broker: Broker, count: int) -> list[str]:
    url, received = await broker.queue_url("test"), list[str]()
    async with asyncio.timeout(10):
        while len(received) < count:
            answer = await broker.sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1, VisibilityTimeout=30
            )
            received += [each["Body"] for each in answer.get("Messages", [])]
    return sorted(received)


texts = st.one_of(
    st.text(max_size=50), st.integers(0, MOST_BYTES).map(lambda length: "x" * length), st.just("é" * 100_000)
)
values = st.dictionaries(st.text("abc", min_size=1, max_size=5), st.text(max_size=5), max_size=3)


@given(st.lists(st.builds(lambda body, attributes: message(body, **attributes), texts, values), max_size=40))
def test_every_batch_is_within_the_limits_and_nothing_is_left_out_or_reordered(
    messages: list[Message],
) -> None:
    fitting = [index for index, each in enumerate(messages) if fault(each) is None]

    cut = list(batches(messages, fitting))

    assert [index for batch in cut for index in batch] == fitting
    assert all(1 <= len(batch) <= MOST_ENTRIES for batch in cut)
    assert all(sum(size(messages[index]) for index in batch) <= MOST_BYTES for batch in cut)


def test_a_message_weighs_its_bytes_names_types_and_values_included() -> None:
    assert size(message("é", priority="ü")) == len("é".encode()) + len("priority" + "String") + 2


def test_ten_small_messages_go_in_one_call() -> None:
    assert list(batches([message()] * 21, range(21))) == [
        list(range(10)),
        list(range(10, 20)),
        [20],
    ]


async def test_what_sns_took_arrives(one_queue: Broker) -> None:
    messages = [message(f"{number:02}", ("UserDeleted", "BirthdayDue")[number % 2]) for number in range(25)]

    assert await publish(one_queue, messages) == Published(list(range(25)), [], [])
    assert await bodies(one_queue, 25) == [f"{number:02}" for number in range(25)]


async def test_what_sns_could_never_take_is_refused_with_its_reason_and_its_neighbours_go(
    one_queue: Broker,
) -> None:
    many = {f"a{number}": "value" for number in range(11)}
    messages = [message("one"), message("too many", **many), message("x" * MOST_BYTES + "x"), message("two")]

    published = await publish(one_queue, messages)

    assert published == Published(
        [0, 3],
        [Refused(1, "11 attributes, more than 10"), Refused(2, "262145 bytes, more than 262144")],
        [],
    )
    assert await bodies(one_queue, 2) == ["one", "two"]


async def test_the_largest_message_and_ten_attributes_are_taken(one_queue: Broker) -> None:
    ten = {f"a{number}": "value" for number in range(10)}

    assert await publish(one_queue, [message("x" * MOST_BYTES), message(**ten)]) == Published([0, 1], [], [])


async def test_an_entry_that_sns_itself_refuses_does_not_take_its_neighbours_along(one_queue: Broker) -> None:
    published = await publish(one_queue, [message("one"), message(""), message("two")])

    assert (published.accepted, published.failed) == ([0, 2], [])
    assert [(each.index, each.reason) for each in published.refused] == [
        (1, "InvalidParameter: Invalid parameter: Empty message")
    ]


async def test_a_topic_that_is_not_there_has_failed_for_now(one_queue: Broker) -> None:
    nowhere = {**arns(one_queue), "BirthdayDue": one_queue.topic_arn("not-made")}
    messages = [message("one"), message("lost", "BirthdayDue"), message("two")]

    with capture_logs() as logs:
        published = await publish_all(one_queue.sns, nowhere, messages, at_once=4)

    assert published == Published([0, 2], [], [1])
    assert [(said["event"], said["messages"]) for said in logs] == [("publish.failed", 1)]


async def test_an_event_type_that_this_release_does_not_know_has_failed_for_now(one_queue: Broker) -> None:
    with capture_logs() as logs:
        published = await publish(one_queue, [message("one"), message("new", "UserAdored"), message("two")])

    assert published == Published([0, 2], [], [1])
    assert [(said["event"], said["event_types"]) for said in logs] == [
        ("publish.unknown_topic", ["UserAdored"])
    ]


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def answer_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\n<<<<")
    await writer.drain()
    writer.close()


async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n<Publish")
    await writer.drain()
    writer.close()


async def answer_500(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 503 Away\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()
    writer.close()


@asynccontextmanager
async def client_of(port: int) -> AsyncIterator[SNSClient]:
    async with get_session().create_client(
        "sns",
        region_name="eu-west-1",
        endpoint_url=f"http://{LOOPBACK}:{port}",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=AioConfig(retries={"mode": "standard", "max_attempts": 1}),
    ) as sns:
        yield sns


@pytest.mark.parametrize("answer", [None, hang_up, answer_nonsense, break_off, answer_500])
async def test_while_the_broker_is_away_or_ill_all_has_failed_for_now(answer: Answer | None) -> None:
    port = free_port()
    server = await asyncio.start_server(answer, LOOPBACK, port) if answer else None
    topics = {"UserDeleted": "arn:aws:sns:eu-west-1:000000000000:user-deleted"}
    try:
        async with client_of(port) as sns:
            with capture_logs() as logs:
                published = await publish_all(sns, topics, [message()] * 12, at_once=1)
    finally:
        if server:
            server.close()
            await server.wait_closed()

    assert published == Published([], [], list(range(12)))
    assert [(said["event"], said["messages"]) for said in logs] == [
        ("publish.failed", 10),
        ("publish.failed", 2),
    ]


REFUSED = """
<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error>
<Type>Sender</Type><Code>InvalidParameter</Code><Message>Invalid parameter: bad</Message>
</Error></ErrorResponse>
"""
TAKEN = """
<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult>
<Failed/><Successful><member><Id>{id}</Id><MessageId>m</MessageId></member></Successful>
</PublishBatchResult></PublishBatchResponse>
"""


async def refuse_whole_calls(request: web.Request) -> web.Response:
    """Refuse a whole call for one bad entry, which AWS may do and our engine does not."""
    form = await request.post()
    entries = "PublishBatchRequestEntries.member."
    if "bad" in [form[name] for name in form if name.startswith(entries) and name.endswith(".Message")]:
        return web.Response(status=400, text=REFUSED, content_type="text/xml")
    return web.Response(text=TAKEN.format(id=form[f"{entries}1.Id"]), content_type="text/xml")


async def test_a_call_that_is_refused_as_a_whole_is_sent_again_entry_by_entry() -> None:
    app = web.Application()
    app.router.add_post("/", refuse_whole_calls)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, 0).start()
        async with client_of(int(runner.addresses[0][1])) as sns:
            messages = [message("one"), message("bad"), message("two")]
            published = await publish_batch(sns, "arn:aws:sns:eu-west-1:0:user-deleted", messages, [0, 1, 2])
    finally:
        await runner.cleanup()

    assert (published.accepted, published.failed) == ([0, 2], [])
    assert [each.index for each in published.refused] == [1]
    assert published.refused[0].reason.endswith("Invalid parameter: bad")


async def test_a_published_message_keeps_group_and_attributes(one_queue: Broker) -> None:
    await publish(one_queue, [message("ring", eventType="UserDeleted", priority="normal")])

    answer = await one_queue.sqs.receive_message(
        QueueUrl=await one_queue.queue_url("test"),
        WaitTimeSeconds=5,
        MessageAttributeNames=["All"],
    )

    [received] = answer["Messages"]
    assert {name: value["StringValue"] for name, value in received["MessageAttributes"].items()} == {
        "eventType": "UserDeleted",
        "priority": "normal",
    }
    assert msgspec.to_builtins(received["Body"]) == "ring"
