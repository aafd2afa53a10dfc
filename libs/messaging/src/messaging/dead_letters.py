"""Dead-letter queues: what nobody could handle is taken out of them, and sent back to its queue."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, get_args
from uuid import UUID

import msgspec
from botocore.exceptions import ClientError
from domain.ids import dead_letter_id
from msgspec import Struct
from types_aiobotocore_sqs import SQSClient
from types_aiobotocore_sqs.type_defs import (
    MessageAttributeValueTypeDef,
    MessageTypeDef,
    SendMessageRequestTypeDef,
)

from messaging.envelope import ENVELOPE
from messaging.queue import MOST_ENTRIES, REASON
from messaging.topology import Queue, dead_letter_name, queue_name, undelivered_name

Source = Literal["consumer", "subscription"]
SOURCES: tuple[Source, ...] = get_args(Source)
NAMES: Mapping[Source, Callable[[str, str], str]] = {
    "consumer": dead_letter_name,
    "subscription": undelivered_name,
}

# With 0, SQS asks a sample of its servers only, and finds nothing where something is.
WAIT_SECONDS = 1
NO_QUEUE = frozenset({"QueueDoesNotExist", "NonExistentQueue"})
# The message itself is refused: trying again would not help.
SENDERS_FAULT = frozenset({"InvalidMessageContents", "InvalidParameterValue", "MessageAttributesInvalid"})
# What was put on it with the dead letter: by us, and by SNS, which tells why it could not deliver.
PUT_ON = frozenset({REASON, "RequestID", "ErrorCode", "ErrorMessage"})


class Attribute(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message attribute; `value` is text, `binary` bytes, which JSON has in base64."""

    type: str
    value: str | None = None
    binary: bytes | None = None


ATTRIBUTES = msgspec.json.Decoder(dict[str, Attribute])


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A message in a dead-letter queue, as text that PostgreSQL takes; `subject` is that of its envelope."""

    id: UUID
    queue: str
    source: Source
    message_id: str
    reason: str
    event_type: str | None
    subject: UUID | None
    attributes: Mapping[str, Attribute]
    group_id: str | None
    body: str
    receipt: str


class DeadLetterQueue(Struct, frozen=True, kw_only=True):
    """What its consumers, or its subscriptions, could not handle of a queue."""

    sqs: SQSClient
    queue: Queue
    source: Source
    url: str


async def find_dead_letter_queue(
    sqs: SQSClient, environment: str, queue: Queue, source: Source
) -> DeadLetterQueue | None:
    """Find a queue's dead-letter queue; None while it is not made."""
    url = await find_url(sqs, NAMES[source](environment, queue.name))
    return DeadLetterQueue(sqs=sqs, queue=queue, source=source, url=url) if url else None


async def find_queue_url(sqs: SQSClient, environment: str, queue: str) -> str | None:
    """Return the URL of the queue that the topology calls `queue`; None if there is none."""
    return await find_url(sqs, queue_name(environment, queue))


async def find_url(sqs: SQSClient, name: str) -> str | None:
    """Return a queue's URL; None if there is no such queue."""
    try:
        return (await sqs.get_queue_url(QueueName=name))["QueueUrl"]
    except ClientError as error:
        if code_of(error) not in NO_QUEUE:
            raise
        return None


async def receive_dead_letters(dead: DeadLetterQueue) -> list[DeadLetter]:
    """Return up to ten of what is there."""
    answer = await dead.sqs.receive_message(
        QueueUrl=dead.url,
        MaxNumberOfMessages=MOST_ENTRIES,
        WaitTimeSeconds=WAIT_SECONDS,
        MessageAttributeNames=["All"],
        AttributeNames=["All"],
    )
    return [read_dead_letter(dead, message) for message in answer.get("Messages", [])]


def read_dead_letter(dead: DeadLetterQueue, message: MessageTypeDef) -> DeadLetter:
    """Return a message of a dead-letter queue, whatever it says."""
    attributes = {
        storable(name): Attribute(
            type=value["DataType"],
            value=storable(value["StringValue"]) if "StringValue" in value else None,
            binary=value.get("BinaryValue"),
        )
        for name, value in message.get("MessageAttributes", {}).items()
    }
    subject, told_type = read_envelope(message["Body"])
    named = attributes.get("eventType")
    return DeadLetter(
        id=dead_letter_id(dead.queue.name, message["MessageId"]),
        queue=dead.queue.name,
        source=dead.source,
        message_id=message["MessageId"],
        reason=reason_of(dead, attributes),
        event_type=(named and named.value) or told_type,
        subject=subject,
        attributes={name: value for name, value in attributes.items() if name not in PUT_ON},
        group_id=message.get("Attributes", {}).get("MessageGroupId"),
        body=storable(message["Body"]),
        receipt=message["ReceiptHandle"],
    )


def read_envelope(body: str) -> tuple[UUID | None, str | None]:
    """Return the subject and the event type of a body that is an envelope, whatever is in it."""
    try:
        envelope = ENVELOPE.decode(body)
        subject = UUID(envelope.subject)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        return None, None
    return subject, storable(envelope.type.removeprefix("carillon.").partition(".")[0])


def reason_of(dead: DeadLetterQueue, attributes: Mapping[str, Attribute]) -> str:
    """Return why it is there, as far as anybody has told."""
    told = attributes.get(REASON)
    if told is not None and told.value:
        return told.value
    if dead.source == "consumer":
        return f"received {dead.queue.max_receives} times and not handled"
    by_sns = attributes.get("ErrorMessage")
    return f"not delivered by SNS: {by_sns.value}" if by_sns else "not delivered by SNS"


def storable(text: str) -> str:
    """Return text without what PostgreSQL cannot hold: NUL, and halves of characters."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


async def delete_dead_letters(dead: DeadLetterQueue, receipts: Sequence[str]) -> None:
    """Delete up to ten; one that stays comes again, and is known by its message id."""
    await dead.sqs.delete_message_batch(
        QueueUrl=dead.url,
        Entries=[{"Id": str(place), "ReceiptHandle": receipt} for place, receipt in enumerate(receipts)],
    )


async def send_back(
    sqs: SQSClient, queue_url: str, body: str, attributes: Mapping[str, Attribute], group_id: str | None
) -> str | None:
    """Send a message as it was; return why SQS refuses it for good, or None. Raises what may pass."""
    values: dict[str, MessageAttributeValueTypeDef] = {
        name: {"DataType": attribute.type, "BinaryValue": attribute.binary}
        if attribute.binary is not None
        else {"DataType": attribute.type, "StringValue": attribute.value or ""}
        for name, attribute in attributes.items()
    }
    request: SendMessageRequestTypeDef = {
        "QueueUrl": queue_url,
        "MessageBody": body,
        "MessageAttributes": values,
    }
    if group_id:
        request["MessageGroupId"] = group_id
    try:
        await sqs.send_message(**request)
    except ClientError as error:
        if code_of(error) not in SENDERS_FAULT:
            raise
        if group_id:
            # Not every engine knows groups on a standard queue: better unfairly than not at all.
            return await send_back(sqs, queue_url, body, attributes, None)
        return f"{code_of(error)}: {error.response['Error']['Message']}"
    return None


def code_of(error: ClientError) -> str:
    """Return what SQS calls an error, the same under its older protocol and its newer one."""
    return error.response["Error"]["Code"].rpartition(".")[2]
