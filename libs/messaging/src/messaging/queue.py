"""One SQS queue and its dead-letter queue: receive, delete, extend, give back, dead-letter."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

import structlog
from msgspec import Struct
from runtime.metric_names import MESSAGES, QUEUE_WAIT
from runtime.metrics import counter, histogram
from runtime.stopping import Stop
from runtime.waiting import wait_for
from types_aiobotocore_sqs import SQSClient
from types_aiobotocore_sqs.type_defs import MessageAttributeValueTypeDef, MessageTypeDef

from messaging.topology import Queue, dead_letter_name, queue_name

log = structlog.get_logger()

T = TypeVar("T")
MOST_ENTRIES = 10
POLL_SECONDS = 20
MESSAGES_BY_RESULT = counter(MESSAGES)
_WAIT = histogram(QUEUE_WAIT)
REASON = "deadLetterReason"
MOST_REASON = 500


class OpenQueue(Struct, frozen=True, kw_only=True):
    """A queue of the topology that exists at the endpoint."""

    sqs: SQSClient
    queue: Queue
    url: str
    dead_letter_url: str


async def open_queue(
    sqs: SQSClient, environment: str, queue: Queue, stop: Stop, *, within: float
) -> OpenQueue:
    """Find a queue, waiting `within` seconds for it to be made. Raises StartFailedError."""

    async def find() -> OpenQueue:
        names = queue_name(environment, queue.name), dead_letter_name(environment, queue.name)
        urls = [(await sqs.get_queue_url(QueueName=name))["QueueUrl"] for name in names]
        return OpenQueue(sqs=sqs, queue=queue, url=urls[0], dead_letter_url=urls[1])

    return await wait_for(f"queue {queue_name(environment, queue.name)}", find, stop, within=within)


def tens(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut a list into the tens that SQS takes in one call."""
    return (items[start : start + MOST_ENTRIES] for start in range(0, len(items), MOST_ENTRIES))


async def receive(
    open_queue: OpenQueue, most: int, *, wait_seconds: int = POLL_SECONDS
) -> list[MessageTypeDef]:
    """Wait for messages, 20 s unless told, and return at most `most` (1 to 10) of them."""
    answer = await open_queue.sqs.receive_message(
        QueueUrl=open_queue.url,
        MaxNumberOfMessages=min(most, open_queue.queue.batch),
        WaitTimeSeconds=wait_seconds,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
    )
    messages = answer.get("Messages", [])
    if messages:
        oldest_ms = min(int(message.get("Attributes", {}).get("SentTimestamp", 0)) for message in messages)
        if oldest_ms:
            _WAIT.labels(open_queue.queue.name).observe(max(0.0, time.time() - oldest_ms / 1000))
    return messages


async def delete(open_queue: OpenQueue, receipts: Sequence[str]) -> None:
    """Delete handled messages; one that cannot be deleted comes again and is known by its id."""

    async def delete_ten(ten: Sequence[str]) -> None:
        answer = await open_queue.sqs.delete_message_batch(
            QueueUrl=open_queue.url,
            Entries=[{"Id": str(place), "ReceiptHandle": receipt} for place, receipt in enumerate(ten)],
        )
        for failed in answer.get("Failed", []):
            log.warning("message.not_deleted", queue=open_queue.queue.name, code=failed["Code"])

    await asyncio.gather(*(delete_ten(ten) for ten in tens(receipts)))


async def hide_for(open_queue: OpenQueue, receipts: Sequence[str], seconds: int) -> None:
    """Keep messages from other consumers for `seconds` from now; 0 gives them back at once."""
    for ten in tens(receipts):
        answer = await open_queue.sqs.change_message_visibility_batch(
            QueueUrl=open_queue.url,
            Entries=[
                {"Id": str(place), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
                for place, receipt in enumerate(ten)
            ],
        )
        for failed in answer.get("Failed", []):
            log.warning("message.not_extended", queue=open_queue.queue.name, code=failed["Code"])


async def dead_letter(open_queue: OpenQueue, message: MessageTypeDef, reason: str) -> None:
    """Move a message nobody can handle to the dead-letter queue, with the reason as an attribute."""
    attributes: dict[str, MessageAttributeValueTypeDef] = {
        name: {"DataType": value["DataType"], "StringValue": value["StringValue"]}
        for name, value in message.get("MessageAttributes", {}).items()
        if "StringValue" in value
    }
    # SQS takes ten attributes: the reason is worth more than the tenth.
    kept = dict(list(attributes.items())[: MOST_ENTRIES - 1])
    await open_queue.sqs.send_message(
        QueueUrl=open_queue.dead_letter_url,
        MessageBody=message["Body"],
        MessageAttributes={**kept, REASON: {"DataType": "String", "StringValue": reason[:MOST_REASON]}},
    )
    await delete(open_queue, [message["ReceiptHandle"]])
    MESSAGES_BY_RESULT.labels(open_queue.queue.name, "dead_lettered").inc()
    log.warning("message.dead_lettered", queue=open_queue.queue.name, reason=reason)
