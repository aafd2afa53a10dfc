"""What goes through a test's one queue: messages sent into it past SNS, and what is left of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from messaging.envelope import Outgoing, compose
from messaging.queue import OpenQueue
from runtime.stopping import Stop
from types_aiobotocore_sqs.type_defs import MessageTypeDef

from testkit import build
from testkit.broker import Broker

QUEUE = "test"
TEN = 10  # SQS takes no more at once


@asynccontextmanager
async def running(consumer: Callable[[], Awaitable[None]], stop: Stop) -> AsyncIterator[None]:
    """Run a consumer while the context is open; then it has ten seconds to stop."""
    task = asyncio.ensure_future(consumer())
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(10):
            await task


def body(broker: Broker, event_id: UUID) -> str:
    """Return the body of a UserDeleted with this id."""
    out = Outgoing(event_id=event_id, subject=event_id, event=build.user_deleted(event_id))
    return compose(broker.topology, "test", build.NOW, [out])[0].body


async def send(broker: Broker, ids: Iterable[UUID]) -> None:
    """Send a UserDeleted with each of these ids."""
    await send_bodies(broker, [body(broker, event_id) for event_id in ids])


async def send_bodies(broker: Broker, bodies: Sequence[str]) -> None:
    """Send messages with these bodies."""
    url = await broker.queue_url(QUEUE)
    for start in range(0, len(bodies), TEN):
        await broker.sqs.send_message_batch(
            QueueUrl=url,
            Entries=[
                {"Id": str(place), "MessageBody": text}
                for place, text in enumerate(bodies[start : start + TEN])
            ],
        )


async def counts(queue: OpenQueue) -> tuple[int, int]:
    """Return how many messages wait, and how many somebody has in hand."""
    answer = await queue.sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["All"])
    attributes = answer["Attributes"]
    return (
        int(attributes["ApproximateNumberOfMessages"]),
        int(attributes["ApproximateNumberOfMessagesNotVisible"]),
    )


async def is_empty(queue: OpenQueue) -> bool:
    """Tell whether no message waits and nobody has one in hand."""
    return await counts(queue) == (0, 0)


async def dead_letters(queue: OpenQueue) -> list[MessageTypeDef]:
    """Return at most ten messages of the dead-letter queue, and leave them there."""
    answer = await queue.sqs.receive_message(
        QueueUrl=queue.dead_letter_url,
        MaxNumberOfMessages=TEN,
        WaitTimeSeconds=0,
        VisibilityTimeout=0,
        MessageAttributeNames=["All"],
    )
    return answer.get("Messages", [])
