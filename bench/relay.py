"""`relay`: the dispatcher's relay from outbox to SNS, beside bare PublishBatch calls of the same messages."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from dispatcher.__main__ import CALLS_AT_ONCE, RELAYS
from dispatcher.relay_outbox import relay_batch
from messaging.envelope import Message
from messaging.outbox import append
from messaging.publish import MOST_ENTRIES, entry, publish_all
from runtime.aws import open_sns
from runtime.database import Pool
from testkit.broker import Broker, open_broker
from testkit.engine import REGION
from types_aiobotocore_sns import SNSClient

from bench.figures import Report, alternate, compare
from bench.messages import due_messages
from bench.scratch import TEMPLATE, TOPOLOGY_FILE, open_pool, scratch_engine, scratch_postgres

BATCH = 500
LEASE = timedelta(seconds=30)
QUEUE = "webhook-critical"
WARM_UP = 160  # opens the connections, reads the client's model of the service


async def run(*, quick: bool) -> Report:
    """Measure over a backlog of 5,000 messages a round (1,000 when quick)."""
    backlog, rounds = (1000, 1) if quick else (5000, 4)
    async with scratch_postgres() as server:
        url, admin_url = server.url("carillon_dispatcher", TEMPLATE), server.url(database=TEMPLATE)
        with scratch_engine() as engine:
            async with (
                open_pool(url) as pool,
                open_pool(admin_url) as admin,
                open_broker(engine, TOPOLOGY_FILE, "bench") as broker,
                open_sns(REGION, connections=RELAYS * CALLS_AT_ONCE) as sns,
            ):
                messages = due_messages(broker.topology, backlog)
                await publish(broker, sns, messages[:WARM_UP])
                rates = await alternate(
                    rounds,
                    {
                        "carillon": partial(relay, broker, sns, pool, admin, messages),
                        "bare": partial(publish, broker, sns, messages),
                    },
                )
    return Report(
        figures=[
            compare(
                "messages relayed",
                "msgs/s",
                rates["carillon"],
                "bare aiobotocore PublishBatch",
                rates["bare"],
                note=f"{RELAYS * CALLS_AT_ONCE} calls of ten at once, the same bodies; it has no outbox",
            )
        ],
        sizes={"backlog": backlog, "batch": BATCH, "rounds": rounds},
    )


async def relay(
    broker: Broker, sns: SNSClient, pool: Pool, admin: Pool, messages: Sequence[Message]
) -> float:
    """Relay a backlog as the dispatcher does, two rounds under way; return messages/s."""
    await empty_queue(broker)
    async with admin.acquire() as connection:
        await append(connection, messages)
    arns = {"BirthdayDue": broker.topic_arn("birthday-due")}
    send = partial(publish_all, sns, arns, at_once=CALLS_AT_ONCE)

    async def until_empty() -> int:
        relayed = 0
        while now := await relay_batch(pool, send, batch=BATCH, lease=LEASE):
            relayed += now
        return relayed

    started = time.perf_counter()
    relayed = await asyncio.gather(*(until_empty() for _ in range(RELAYS)))
    seconds = time.perf_counter() - started
    assert sum(relayed) == len(messages), relayed
    await expect_queue(broker, len(messages))
    return len(messages) / seconds


async def publish(broker: Broker, sns: SNSClient, messages: Sequence[Message]) -> float:
    """Publish the same messages from memory, by as many callers; return messages/s."""
    await empty_queue(broker)
    arn = broker.topic_arn("birthday-due")
    tens = iter([range(start, start + MOST_ENTRIES) for start in range(0, len(messages), MOST_ENTRIES)])

    async def caller() -> None:
        for ten in tens:
            entries = [entry(index, messages[index]) for index in ten]
            answer = await sns.publish_batch(TopicArn=arn, PublishBatchRequestEntries=entries)
            assert not answer.get("Failed"), answer

    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(RELAYS * CALLS_AT_ONCE)))
    seconds = time.perf_counter() - started
    await expect_queue(broker, len(messages))
    return len(messages) / seconds


async def empty_queue(broker: Broker) -> None:
    """Empty the queue behind the topic: the engine slows with depth, so every round starts from nothing."""
    await broker.sqs.purge_queue(QueueUrl=await broker.queue_url(QUEUE))


async def expect_queue(broker: Broker, depth: int) -> None:
    """Check that all of a round arrived behind the topic."""
    answer = await broker.sqs.get_queue_attributes(
        QueueUrl=await broker.queue_url(QUEUE), AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert answer["Attributes"]["ApproximateNumberOfMessages"] == str(depth), answer
