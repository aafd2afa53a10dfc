"""Publishing: messages to SNS in batches of at most ten entries and 256 KiB, judged entry by entry."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from msgspec import Struct
from runtime import metric_names
from runtime.metrics import counter, exemplar, histogram
from runtime.stopping import describe
from types_aiobotocore_sns import SNSClient
from types_aiobotocore_sns.type_defs import PublishBatchRequestEntryTypeDef

from messaging.envelope import Message
from messaging.trace_messages import sending

log = structlog.get_logger()

PUBLISHED = counter(metric_names.PUBLISHED)
PUBLISHING = histogram(metric_names.PUBLISHING)

MOST_ENTRIES = 10
MOST_BYTES = 256 * 1024
# AWS silently discards a raw-delivered message with more, emulators deliver it: so it is refused here.
MOST_ATTRIBUTES = 10
# The request itself is bad: sending it again cannot help, sending its entries one by one finds the bad one.
SENDER_FAULTS = frozenset(
    {"InvalidParameter", "InvalidParameterValue", "ValidationError", "BatchRequestTooLong"}
)


class Refused(Struct, frozen=True):
    """An entry that SNS (or its limits) will never take."""

    index: int
    reason: str


class Published(Struct, frozen=True):
    """What became of each message, by its place in the list: refused for good, or failed for now."""

    accepted: list[int]
    refused: list[Refused]
    failed: list[int]


Publish = Callable[[Sequence[Message]], Awaitable[Published]]


def size(message: Message) -> int:
    """Return what a message counts towards the limit of a batch, in bytes."""
    attributes = "".join(f"{name}String{value}" for name, value in message.attributes.items())
    return len(message.body.encode()) + len(attributes.encode())


def fault(message: Message) -> str | None:
    """Return why SNS could never take the message, or None."""
    if len(message.attributes) > MOST_ATTRIBUTES:
        return f"{len(message.attributes)} attributes, more than {MOST_ATTRIBUTES}"
    if (bytes_ := size(message)) > MOST_BYTES:
        return f"{bytes_} bytes, more than {MOST_BYTES}"
    return None


def batches(messages: Sequence[Message], indexes: Sequence[int]) -> Iterator[list[int]]:
    """Cut `indexes` into batches that SNS takes, in order."""
    batch: list[int] = []
    weight = 0
    for index in indexes:
        bytes_ = size(messages[index])
        if batch and (len(batch) == MOST_ENTRIES or weight + bytes_ > MOST_BYTES):
            yield batch
            batch, weight = [], 0
        batch.append(index)
        weight += bytes_
    if batch:
        yield batch


def entry(index: int, message: Message) -> PublishBatchRequestEntryTypeDef:
    """Return a message as a PublishBatch entry; its group lets fair queues keep one user from the rest."""
    return {
        "Id": str(index),
        "Message": message.body,
        "MessageGroupId": message.group_id,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items()
        },
    }


async def publish_all(
    sns: SNSClient, topic_arns: Mapping[str, str], messages: Sequence[Message], *, at_once: int
) -> Published:
    """Publish each message to its event type's topic, at most `at_once` calls under way; lose none.

    What the broker could not take now, because it is away or does not know the topic, has failed for now;
    so has an event type without a topic here, which a newer release may know.
    """
    refused = [Refused(index, why) for index, message in enumerate(messages) if (why := fault(message))]
    unfit = {each.index for each in refused}
    unknown = [index for index, message in enumerate(messages) if message.event_type not in topic_arns]
    if unknown:
        log.warning("publish.unknown_topic", event_types=sorted({messages[at].event_type for at in unknown}))
    by_topic: dict[str, list[int]] = {}
    for index, message in enumerate(messages):
        if index not in unfit and message.event_type in topic_arns:
            by_topic.setdefault(topic_arns[message.event_type], []).append(index)
    places = asyncio.Semaphore(at_once)

    async def one(topic_arn: str, batch: list[int]) -> Published:
        async with places:
            try:
                return await publish_batch(sns, topic_arn, messages, batch)
            except (BotoCoreError, ClientError, ResponseParserError, OSError) as error:
                log.warning("publish.failed", topic=topic_arn, messages=len(batch), error=describe(error))
                return Published([], [], batch)

    parts = await asyncio.gather(
        *(one(topic, batch) for topic, indexes in by_topic.items() for batch in batches(messages, indexes))
    )
    published = together([Published([], refused, [index for index in unknown if index not in unfit]), *parts])
    PUBLISHED.labels("accepted").inc(len(published.accepted))
    PUBLISHED.labels("refused").inc(len(published.refused))
    PUBLISHED.labels("failed").inc(len(published.failed))
    return published


def together(parts: Sequence[Published]) -> Published:
    """Join the results of several calls."""
    return Published(
        [index for part in parts for index in part.accepted],
        [refused for part in parts for refused in part.refused],
        [index for part in parts for index in part.failed],
    )


async def publish_batch(
    sns: SNSClient, topic_arn: str, messages: Sequence[Message], batch: Sequence[int]
) -> Published:
    """Send one batch of `messages`, the ones at the places in `batch`.

    Raises what the client raises when the broker is lost or will not serve this topic.
    """
    started = time.perf_counter()
    try:
        with sending(topic_arn, [messages[index] for index in batch]):
            answer = await sns.publish_batch(
                TopicArn=topic_arn,
                PublishBatchRequestEntries=[entry(index, messages[index]) for index in batch],
            )
    except ClientError as error:
        if error.response["Error"]["Code"] not in SENDER_FAULTS:
            raise
        if len(batch) == 1:
            return Published([], [Refused(batch[0], str(error))], [])
        return together([await publish_batch(sns, topic_arn, messages, [index]) for index in batch])
    PUBLISHING.observe(time.perf_counter() - started, exemplar())
    failed = answer.get("Failed", [])
    return Published(
        [int(each["Id"]) for each in answer.get("Successful", [])],
        [
            Refused(int(each["Id"]), f"{each['Code']}: {each.get('Message', '')}")
            for each in failed
            if each["SenderFault"]
        ],
        [int(each["Id"]) for each in failed if not each["SenderFault"]],
    )
