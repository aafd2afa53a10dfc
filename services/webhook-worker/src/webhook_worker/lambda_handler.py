"""The worker as Lambda functions: one a priority, called with its queue's batches, and one by the clock.

A batch is answered with the messages that could not be accepted; SQS hands those over again
(ReportBatchItemFailures). A round, once a minute, is the loops of the process for some seconds: retries,
replays, deleted users, dead letters.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import msgspec
from messaging.queue import OpenQueue, dead_letter, open_queue
from messaging.received import Received, read_all
from messaging.report_handled import tell_failed
from messaging.topology import queue_name
from messaging.trace_messages import processing
from msgspec import Struct
from runtime.lambda_function import Answer, Event, Work, lambda_handler
from runtime.stopping import Loop, Stop, run_loops
from types_aiobotocore_sqs.type_defs import MessageTypeDef

from webhook_worker.consumers import open_user_deleted
from webhook_worker.settings import Settings
from webhook_worker.stage import Stage, open_stage

ROUND_SECONDS = 10.0
# Beyond an attempt's own time, for its record.
RECORDING_SECONDS = 5.0


class Attribute(Struct, frozen=True, rename="camel"):
    """A message attribute, as Lambda writes it."""

    data_type: str
    string_value: str | None = None


IN_LAMBDA = {
    "message_id": "messageId",
    "receipt_handle": "receiptHandle",
    "message_attributes": "messageAttributes",
    "source_arn": "eventSourceARN",
}


class Record(Struct, frozen=True, kw_only=True, rename=IN_LAMBDA):
    """A message of an SQS event: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""

    message_id: str
    receipt_handle: str
    body: str
    source_arn: str
    message_attributes: dict[str, Attribute] = {}


@asynccontextmanager
async def open_calls(settings: Settings) -> AsyncIterator[Work]:
    """Open the stage for all calls of an instance."""
    async with open_stage(settings, asyncio.Event()) as stage:

        async def call(event: Event, stop: Stop) -> Answer:
            if records := msgspec.convert(event.get("Records", []), list[Record]):
                return await deliver_batch(stage, settings, records, stop)
            await play_round(stage, settings, stop)
            return None

        yield call


async def deliver_batch(stage: Stage, settings: Settings, records: Sequence[Record], stop: Stop) -> Answer:
    """Accept a batch and wait for its first attempts; return the messages that could not be accepted."""
    queue = await queue_of(stage, settings, records[0].source_arn, stop)
    readable, unreadable = read_all([as_message(record) for record in records])
    for message, reason in unreadable:
        await dead_letter(queue, message, reason)
    failed = await accept_apart(stage, queue, readable)
    await stage.deliverer.finish(within=settings.webhook_timeout_seconds + RECORDING_SECONDS)
    ids = {record.receipt_handle: record.message_id for record in records}
    return {"batchItemFailures": [{"itemIdentifier": ids[receipt]} for receipt in failed]}


async def accept_apart(stage: Stage, queue: OpenQueue, batch: Sequence[Received]) -> list[str]:
    """Accept and start a batch; if that fails, each message alone. Return the receipts of those that fail."""
    try:
        with processing(queue.queue.name, batch):
            await stage.bulkheads.admit(await stage.accept(batch), lambda _: None)
    except Exception as error:  # noqa: BLE001 (whatever one message does, the rest goes on)
        if len(batch) == 1:
            tell_failed(queue, batch[0], error)
            return [batch[0].receipt]
        return [receipt for one in batch for receipt in await accept_apart(stage, queue, [one])]
    return []


async def play_round(stage: Stage, settings: Settings, stop: Stop) -> None:
    """Run the worker's loops for ten seconds, then finish what is under way."""
    consumers = await open_user_deleted(stage, settings, stop)
    loops: dict[str, Loop] = {**stage.loops, **{name: one.run for name, one in consumers.items()}}
    asyncio.get_running_loop().call_later(ROUND_SECONDS, stop.set)
    await run_loops(loops, stop, drain_within=settings.drain_timeout_seconds)
    await stage.deliverer.finish(within=settings.webhook_timeout_seconds + RECORDING_SECONDS)


async def queue_of(stage: Stage, settings: Settings, arn: str, stop: Stop) -> OpenQueue:
    """Return the queue that a batch is from. Raises LookupError for one that the topology has not."""
    name = arn.rpartition(":")[2]
    for queue in stage.topology.queues.values():
        if queue_name(settings.carillon_env, queue.name) == name:
            find = partial(open_queue, stage.sqs, settings.carillon_env, queue, stop)
            return await find(within=settings.start_timeout_seconds)
    raise LookupError(f"no queue of the topology is called {name}")


def as_message(record: Record) -> MessageTypeDef:
    """Return a record as SQS itself would hand it over."""
    return {
        "MessageId": record.message_id,
        "ReceiptHandle": record.receipt_handle,
        "Body": record.body,
        "MessageAttributes": {
            name: {"DataType": attribute.data_type, "StringValue": attribute.string_value}
            for name, attribute in record.message_attributes.items()
            if attribute.string_value is not None
        },
    }


handler = lambda_handler("webhook-worker", Settings, open_calls)
