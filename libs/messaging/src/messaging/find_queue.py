"""Finding a queue that somebody else declared: by its name alone, with what SQS knows of it."""

import msgspec
from msgspec import Struct
from runtime.stopping import Stop
from runtime.waiting import wait_for
from types_aiobotocore_sqs import SQSClient

from messaging.queue import MOST_ENTRIES, OpenQueue
from messaging.topology import Queue


class RedrivePolicy(Struct, frozen=True, rename="camel"):
    """Where SQS moves a message that was received too often; it gives the number as one or as text."""

    dead_letter_target_arn: str
    max_receive_count: int


async def find_queue(sqs: SQSClient, name: str, stop: Stop, *, within: float) -> OpenQueue:
    """Find the queue of this name and its dead-letter queue, waiting `within` seconds for both to be made.

    Raises StartFailedError, whose one line says what is missing.
    """

    async def find() -> OpenQueue:
        url = (await sqs.get_queue_url(QueueName=name))["QueueUrl"]
        attributes = (await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]))["Attributes"]
        if "RedrivePolicy" not in attributes:
            raise LookupError("it has no dead-letter queue (RedrivePolicy)")
        redrive = msgspec.convert(
            msgspec.json.decode(attributes["RedrivePolicy"]), RedrivePolicy, strict=False
        )
        account, dead_letters = redrive.dead_letter_target_arn.split(":")[-2:]
        answer = await sqs.get_queue_url(QueueName=dead_letters, QueueOwnerAWSAccountId=account)
        queue = Queue(
            name=name,
            visibility_seconds=int(attributes["VisibilityTimeout"]),
            retention_seconds=int(attributes["MessageRetentionPeriod"]),
            max_receives=redrive.max_receive_count,
            batch=MOST_ENTRIES,
            concurrency=1,
        )
        return OpenQueue(sqs=sqs, queue=queue, url=url, dead_letter_url=answer["QueueUrl"])

    return await wait_for(f"queue {name}", find, stop, within=within)
