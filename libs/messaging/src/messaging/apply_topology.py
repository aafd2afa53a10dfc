"""`python -m messaging.apply_topology`: make topics, queues and subscriptions as declared."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Meta, Struct
from runtime.aws import open_sns, open_sqs
from runtime.settings import SettingsError, load_settings
from types_aiobotocore_sns import SNSClient
from types_aiobotocore_sqs import SQSClient
from types_aiobotocore_sqs.literals import QueueAttributeNameType

from messaging.apply_subscription import apply_subscription, encode
from messaging.topology import (
    Queue,
    Topology,
    TopologyError,
    dead_letter_name,
    load_topology,
    queue_name,
    topic_name,
    undelivered_name,
)

T = TypeVar("T")
AT_ONCE = 8
# What has it was made here, and may be deleted here when nobody declares it any more.
TAG = "carillon:environment"


class Settings(Struct, frozen=True, kw_only=True):
    """Which topology to apply, and under which environment's names."""

    carillon_env: Annotated[str, Meta(pattern="^[a-z][a-z0-9-]{0,19}$")]
    topology_file: str
    aws_region: str


async def apply_topology(sns: SNSClient, sqs: SQSClient, topology: Topology, environment: str) -> None:
    """Make every topic, queue, dead-letter queue and subscription of `topology`; again changes nothing.

    Raises what the clients raise.
    """
    topics = {event_type.topic for event_type in topology.event_types.values()}
    arns = dict(await at_once(apply_topic(sns, environment, topic) for topic in sorted(topics)))
    await at_once(
        apply_queue(sns, sqs, topology, environment, queue, arns) for queue in topology.queues.values()
    )


async def at_once(calls: Iterable[Awaitable[T]]) -> list[T]:
    """Await `calls`, a few at a time, and return their results in order."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(call: Awaitable[T]) -> T:
        async with places:
            return await call

    return await asyncio.gather(*(one(call) for call in calls))


async def apply_topic(sns: SNSClient, environment: str, topic: str) -> tuple[str, str]:
    """Make one topic; return its short name and its ARN."""
    arn = (await sns.create_topic(Name=topic_name(environment, topic)))["TopicArn"]
    await sns.tag_resource(ResourceArn=arn, Tags=[{"Key": TAG, "Value": environment}])
    return topic, arn


async def apply_queue(
    sns: SNSClient, sqs: SQSClient, topology: Topology, environment: str, queue: Queue, topics: dict[str, str]
) -> None:
    """Make one queue with its dead-letter queues, its access policy and its subscriptions."""
    retention = str(topology.dead_letter_retention_seconds)
    heard = [topics[topic] for subscription in queue.subscriptions for topic in subscription.topics]
    dead_letters = await apply_attributes(
        sqs, environment, dead_letter_name(environment, queue.name), {"MessageRetentionPeriod": retention}
    )
    undelivered = await apply_attributes(
        sqs,
        environment,
        undelivered_name(environment, queue.name),
        {"MessageRetentionPeriod": retention},
        from_topics=heard,
    )
    arn = await apply_attributes(
        sqs,
        environment,
        queue_name(environment, queue.name),
        {
            "VisibilityTimeout": str(queue.visibility_seconds),
            "MessageRetentionPeriod": str(queue.retention_seconds),
            "RedrivePolicy": encode(
                {"deadLetterTargetArn": dead_letters, "maxReceiveCount": queue.max_receives}
            ),
        },
        from_topics=heard,
    )
    for subscription in queue.subscriptions:
        for topic in subscription.topics:
            await apply_subscription(sns, topics[topic], arn, subscription, undelivered)


async def apply_attributes(
    sqs: SQSClient,
    environment: str,
    name: str,
    attributes: dict[QueueAttributeNameType, str],
    *,
    from_topics: list[str] | None = None,
) -> str:
    """Make a queue if there is none, set its attributes either way, and return its ARN."""
    url = (await sqs.create_queue(QueueName=name))["QueueUrl"]
    await sqs.tag_queue(QueueUrl=url, Tags={TAG: environment})
    answer = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = answer["Attributes"]["QueueArn"]
    policy: dict[QueueAttributeNameType, str] = (
        {"Policy": encode(sending_policy(arn, from_topics))} if from_topics else {}
    )
    await sqs.set_queue_attributes(QueueUrl=url, Attributes={**attributes, **policy})
    return arn


def sending_policy(queue_arn: str, topic_arns: list[str]) -> dict[str, Any]:
    """Return the policy that lets SNS send to a queue, for these topics alone."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue_arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": sorted(topic_arns)}},
            }
        ],
    }


async def run(settings: Settings) -> None:
    """Apply the topology that the settings name."""
    topology = load_topology(Path(settings.topology_file))
    async with (
        open_sns(settings.aws_region, connections=AT_ONCE) as sns,
        open_sqs(settings.aws_region, connections=AT_ONCE) as sqs,
    ):
        await apply_topology(sns, sqs, topology, settings.carillon_env)


def main() -> None:
    """Apply, saying what was wrong in one line: exit 2 for settings and topology, 1 for the endpoint."""
    try:
        asyncio.run(run(load_settings(Settings, os.environ)))
    except (SettingsError, TopologyError) as error:
        sys.stderr.write(f"apply_topology: {error}\n")
        sys.exit(2)
    except (BotoCoreError, ClientError, OSError) as error:
        sys.stderr.write(f"apply_topology: {error}\n")
        sys.exit(1)
    sys.stdout.write("apply_topology: done\n")


if __name__ == "__main__":
    main()
