"""Topics, queues and subscriptions of a test's own, on the real engine."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from messaging.apply_topology import apply_topology
from messaging.topology import Topology, dead_letter_name, load_topology, queue_name, topic_arn
from msgspec import Struct
from runtime.aws import open_sns, open_sqs
from types_aiobotocore_sns import SNSClient
from types_aiobotocore_sqs import SQSClient

from testkit.engine import ACCOUNT_ID, REGION, Engine

CONNECTIONS = 16


class Broker(Struct, frozen=True, kw_only=True):
    """An environment's topics and queues on the engine, and clients to reach them."""

    environment: str
    topology: Topology
    topology_file: Path
    engine: Engine
    sns: SNSClient
    sqs: SQSClient

    def topic_arn(self, topic: str) -> str:
        """Return the ARN of the topic that the topology calls `topic`."""
        return topic_arn(REGION, ACCOUNT_ID, self.environment, topic)

    async def queue_url(self, queue: str) -> str:
        """Return the URL of the queue that the topology calls `queue`."""
        return (await self.sqs.get_queue_url(QueueName=queue_name(self.environment, queue)))["QueueUrl"]

    async def dead_letter_url(self, queue: str) -> str:
        """Return the URL of the dead-letter queue of `queue`."""
        return (await self.sqs.get_queue_url(QueueName=dead_letter_name(self.environment, queue)))["QueueUrl"]


@asynccontextmanager
async def open_broker(engine: Engine, topology_file: Path, environment: str) -> AsyncIterator[Broker]:
    """Apply the topology under `environment`; afterwards delete what was made.

    The clients find the engine through the process's environment, so AWS_ENDPOINT_URL must lead to it.
    """
    topology = load_topology(topology_file)
    async with (
        open_sns(REGION, connections=CONNECTIONS) as sns,
        open_sqs(REGION, connections=CONNECTIONS) as sqs,
    ):
        await apply_topology(sns, sqs, topology, environment)
        try:
            yield Broker(
                environment=environment,
                topology=topology,
                topology_file=topology_file,
                engine=engine,
                sns=sns,
                sqs=sqs,
            )
        finally:
            await delete_topology(sns, sqs, environment)


async def delete_topology(sns: SNSClient, sqs: SQSClient, environment: str) -> None:
    """Delete every topic and queue of `environment`."""
    prefix = f"carillon-{environment}-"
    topics = [
        topic["TopicArn"]
        async for page in sns.get_paginator("list_topics").paginate()
        for topic in page["Topics"]
        if f":{prefix}" in topic["TopicArn"]
    ]
    queues = [
        url
        async for page in sqs.get_paginator("list_queues").paginate(QueueNamePrefix=prefix)
        for url in page.get("QueueUrls", [])
    ]
    await _each(topics, lambda arn: sns.delete_topic(TopicArn=arn))
    await _each(queues, lambda url: sqs.delete_queue(QueueUrl=url))


async def _each(names: Iterable[str], delete: Callable[[str], Awaitable[object]]) -> None:
    await asyncio.gather(*(delete(name) for name in names))
