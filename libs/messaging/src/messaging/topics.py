"""Topics: where each event type's messages go, found before a service starts to publish."""

import asyncio

from runtime.stopping import Stop
from runtime.waiting import wait_for
from types_aiobotocore_sns import SNSClient

from messaging.topology import Topology, topic_arn, topic_name


async def open_topics(
    sns: SNSClient,
    topology: Topology,
    *,
    region: str,
    account_id: str,
    environment: str,
    stop: Stop,
    within: float,
) -> dict[str, str]:
    """Return each event type's topic ARN, waiting `within` seconds for the topics to be made.

    Raises StartFailedError, which names the topics and why they did not come, and StoppedError.
    """
    arns = {
        name: topic_arn(region, account_id, environment, event_type.topic)
        for name, event_type in topology.event_types.items()
    }

    async def find() -> None:
        await asyncio.gather(*(sns.get_topic_attributes(TopicArn=arn) for arn in arns.values()))

    await wait_for(f"topics {topic_name(environment, '*')}", find, stop, within=within)
    return arns
